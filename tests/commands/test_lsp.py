"""`statelang lsp`: what happens where the server's libraries are missing; tests/editor has the rest."""

import sys

import pytest

from statelang.cli import main


@pytest.mark.parametrize("package", ["pygls", "lsprotocol"])
def test_a_missing_package_is_named(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and the command that installs what is missing."""
    for module in list(sys.modules):
        if module.startswith(("statelang.editor.", f"{package}.")):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    assert 2 == main(["lsp"])
    error = capsys.readouterr().err
    assert f"the package `{package}` is missing" in error
    assert 'pip install "statelang[editor]"' in error
