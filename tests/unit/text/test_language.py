"""Language ids from file names."""

import pytest

from fimble.text.language import language_of


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "python"),
        ("src/App.TSX", "typescriptreact"),
        ("build/Dockerfile", "dockerfile"),
        ("Makefile", "makefile"),
        ("x.tar.gz", "plaintext"),
        ("", "plaintext"),
        (".bashrc", "shellscript"),
    ],
)
def test_language_of(name, language):
    assert language_of(name) == language
