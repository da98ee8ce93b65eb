"""The command line of `fimble serve`: what is wrong with it is said before anything is served."""

import pytest

from fimble.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tcp", "0.0.0.0:0"), "--allow-remote"),
        (("--tcp", "somewhere"), "HOST:PORT"),
        (("--set", "delay_ms=soon"), "`delay_ms` must be a whole number"),
        (("--set", "dely_ms=5"), "did you mean `delay_ms`"),
        (("--set", "delay_ms"), "KEY=VALUE"),
    ],
)
def test_wrong_arguments_give_exit_code_two_and_a_hint(capsys, arguments, said):
    assert main(["serve", *arguments]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "\nhint: " in shown.err
    assert shown.out == ""


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    assert "fimble serve --tcp 127.0.0.1:9257" in capsys.readouterr().out
