"""What is installed: every package and file, and nothing heavy before it is needed."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"statelang": "statelang"} | {
    f"statelang.{name}": name for name in ("engine", "grammars", "training")
}
HEAVY = "torch transformers outlines numpy trl peft datasets tokenizers matplotlib jinja2".split()


def project() -> dict[str, Any]:
    """The project's settings."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def own_files() -> set[str]:
    """Every file that an installation must have, by its path inside `statelang`."""
    found = set()
    for package, folder in FOLDERS.items():
        below = package.partition(".")[2]
        for file in (ROOT / folder).rglob("*"):
            inside = file.relative_to(ROOT / folder)
            linked = package == "statelang" and inside.parts[0] in FOLDERS.values()
            if file.is_file() and "__pycache__" not in inside.parts and not linked:
                found.add((Path("statelang") / below / inside).as_posix())
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the checkout with the wheel unpacked, made from a copy of the checkout."""
    work = tmp_path_factory.mktemp("wheel")
    copy = work / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    for folder in FOLDERS.values():
        shutil.copytree(
            ROOT / folder,
            copy / folder,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    python = (sys.executable, "-m")
    _run(*python, "build", "--wheel", "--no-isolation", "--outdir", work, copy, cwd=work)
    (wheel,) = work.glob("*.whl")
    target = work / "installed"
    _run(*python, "pip", "install", "--no-deps", "--no-index", "--target", target, wheel, cwd=work)
    return target


def _run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def _fresh(code: str, cwd: Path, path: Path | None = None) -> Any:
    """What a fresh interpreter prints as JSON; `path` comes first on its module path."""
    env = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    return json.loads(_run(sys.executable, "-c", code, cwd=cwd, env=env).splitlines()[-1])


def test_every_package_is_listed() -> None:
    """A folder with Python in it is a package, has an `__init__` and stands in the list."""
    folders = {(Path(file).parent.as_posix()) for file in own_files() if file.endswith(".py")}
    packages = {folder.replace("/", ".") for folder in folders}
    settings = project()["tool"]["setuptools"]

    assert packages == set(settings["packages"])
    assert {f"{folder}/__init__.py" for folder in folders} <= own_files()
    assert all(FOLDERS[name] == folder for name, folder in settings["package-dir"].items())


def test_links_are_relative() -> None:
    """Tools that read files find the folders at the top below `statelang`."""
    for folder in ("engine", "grammars", "training"):
        assert f"../{folder}" == os.readlink(ROOT / "statelang" / folder)


def test_wheel_holds_every_file(installed: Path) -> None:
    """Code, grammars and templates are installed, and nothing at the top but `statelang`."""
    files = {file.relative_to(installed).as_posix() for file in installed.rglob("*.*")}
    files = {file for file in files if "__pycache__" not in file and (installed / file).is_file()}
    top = {name for name in os.listdir(installed) if not name.endswith(".dist-info")}

    assert {"statelang", "bin"} == top | {"bin"}
    assert own_files() == {file for file in files if file.startswith("statelang/")}


def test_every_module_imports_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Each module loads from the installation, with the checkout nowhere near."""
    modules = sorted(
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in own_files()
        if file.endswith(".py") and not file.endswith("__main__.py")
    )
    code = (
        "import importlib, json\n"
        f"names = {modules!r}\n"
        "print(json.dumps([importlib.import_module(name).__file__ for name in names]))"
    )
    places = _fresh(code, tmp_path, installed)

    assert len(modules) == len(places)
    assert [] == [place for place in places if not Path(place).is_relative_to(installed)]


def test_installed_spaces_load(installed: Path, tmp_path: Path) -> None:
    """The shipped grammars are read from the installation, by name."""
    code = "import json, statelang as s; print(json.dumps([s.load(n).name for n in s.shipped()]))"
    assert sorted(file.stem for file in (ROOT / "grammars").glob("*.lark")) == _fresh(
        code, tmp_path, installed
    )


@pytest.mark.parametrize(
    "code",
    [
        "import statelang",
        "import statelang.cli; statelang.cli.parser()",
        "import statelang.cli; statelang.cli.main(['check', 'kwai_star'])",
        "from statelang.engine import validate; validate(s, 'x')",
    ],
)
def test_language_loads_nothing_heavy(code: str, tmp_path: Path) -> None:
    """The language and its verbs need lark and attrs alone."""
    code = f"import json, sys, statelang; s = statelang.load('kwai_star')\n{code}\n"
    code += f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    assert [] == _fresh(code, tmp_path, ROOT)


def test_constraints_hold_everything_asked_for() -> None:
    """Each dependency is pinned, and PyTorch to the version that the Makefile installs first."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    settings = project()["project"]
    extras = settings["optional-dependencies"].values()
    asked = {
        requirement.split(">")[0].split("[")[0]
        for group in (settings["dependencies"], *extras)
        for requirement in group
    }

    assert set() == asked - {"statelang"} - set(pins)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f" torch=={pins['torch']}\n" in makefile
