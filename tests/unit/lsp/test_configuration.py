"""Option layers without a server."""

import pytest

from fimble.errors import SettingsError
from fimble.lsp.configuration import OptionLayers
from fimble.settings import Settings


@pytest.fixture
def layers(tmp_path):
    layers = OptionLayers({})
    layers.read_file(tmp_path / "none.toml")
    return layers


def test_each_layer_goes_over_the_one_before(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("delay_ms = 1\nline_tokens_max = 1\nblock_lines_max = 1\nblock_tokens_max = 1\n")
    layers = OptionLayers({"block_tokens_max": 4})
    layers.read_file(path)
    layers.set_initial({"line_tokens_max": 2, "block_lines_max": 2, "block_tokens_max": 2})
    layers.set_changed({"block_lines_max": 3, "block_tokens_max": 3})
    found = layers.settings
    assert (found.delay_ms, found.line_tokens_max, found.block_lines_max, found.block_tokens_max) == (1, 2, 3, 4)


def test_bad_value_keeps_that_of_the_layer_below(layers):
    layers.set_initial({"delay_ms": 5})
    layers.set_changed({"delay_ms": -1})
    assert layers.settings.delay_ms == 5
    assert layers.take_warnings() == ["option `delay_ms` must be 0 to 2000; `5` is kept"]
    assert layers.take_warnings() == []


def test_new_warning_of_a_later_change_is_given(layers):
    layers.set_changed({"delay_ms": -1})
    layers.take_warnings()
    layers.set_changed({"delay_ms": -1, "enabled": 3})
    assert [warning.split("`")[1] for warning in layers.take_warnings()] == ["enabled"]


@pytest.mark.parametrize(
    ("raw", "is_taken"),
    [
        ({"fimble": {"delay_ms": 5}}, True),
        ({"delay_ms": 5}, True),
        ({"fimble": {}}, True),
        ({}, False),
        (None, False),
        ([], False),
        ("text", False),
        ({"python": {"delay_ms": 5}}, False),
        ({"fimble": None}, True),
    ],
)
def test_what_counts_as_a_pushed_change(layers, raw, is_taken):
    assert layers.set_changed(raw) is is_taken


def test_sections_of_others_are_no_options(layers):
    layers.set_initial({"editorInfo": {"name": "x"}, "delay_ms": 5})
    assert layers.settings.delay_ms == 5
    assert layers.take_warnings() == []


def test_empty_pulled_section_means_defaults(layers):
    layers.set_changed({"delay_ms": 5})
    assert layers.set_changed({}, is_section=True)
    assert layers.settings == Settings()


def test_wrong_flag_is_an_error_at_once():
    with pytest.raises(SettingsError, match="dely_ms"):
        OptionLayers({"dely_ms": 5})


def test_unreadable_file_is_a_warning(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    layers = OptionLayers({})
    layers.read_file(path)
    assert layers.settings == Settings()
    assert "cannot read" in layers.take_warnings()[0]
