"""The distributions plugsmith and plugsmith-runtime: built from a clone, with nothing published."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from generator import __version__
from tests.support.environments import uv
from tests.support.rendering import ROOT, render

RUNTIME = "plugsmith_runtime"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files under version control, as a fresh clone has them, without their history."""
    folder = tmp_path_factory.mktemp("clone")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, folder / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-P", source, target], check=True)
    return folder


def build(source: Path, out: Path, *options: str) -> Path:
    """Build a distribution with the hatchling of the tests' own Python; returns the file."""
    tool = uv()
    assert tool, "uv is missing; install the dependency group test"
    done = subprocess.run(
        [tool, "build", "--no-build-isolation", "--python", sys.executable, *options, "--out-dir", out, source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (made,) = [path for path in out.iterdir() if path.suffix in (".whl", ".gz")]
    return made


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def package(clone: Path) -> dict[str, bytes]:
    """The files of the runtime by their place in a wheel."""
    folder = clone / "runtime"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / RUNTIME).rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def runtime_wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(clone / "runtime", tmp_path_factory.mktemp("runtime"), "--wheel")


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(clone, tmp_path_factory.mktemp("plugsmith"), "--wheel")


def test_the_runtimes_wheel_holds_the_package_and_its_types(clone: Path, runtime_wheel: Path) -> None:
    inside = contents(runtime_wheel)
    assert {name: data for name, data in inside.items() if ".dist-info/" not in name} == package(clone)
    assert f"{RUNTIME}/py.typed" in inside
    assert f"{RUNTIME}-{__version__}.dist-info/licenses/LICENSE" in inside


def test_the_runtimes_wheel_names_what_it_needs(runtime_wheel: Path) -> None:
    metadata = Parser().parsestr(contents(runtime_wheel)[f"{RUNTIME}-{__version__}.dist-info/METADATA"].decode())
    assert (metadata["Name"], metadata["Version"]) == ("plugsmith-runtime", __version__)
    assert set(metadata.get_all("Provides-Extra", [])) == {"certs", "connector", "cpex", "grpc", "otel"}
    required = metadata.get_all("Requires-Dist", [])
    assert [line for line in required if "<" not in line or ">=" not in line] == []


def test_plugsmith_contains_the_runtime_as_a_package_and_as_what_it_renders(clone: Path, wheel: Path) -> None:
    inside = contents(wheel)
    rendered = "plugsmith/data/template/src/{{package_name}}/{{vendored}}/"
    wanted = package(clone)
    assert {name: data for name, data in inside.items() if name.startswith(f"{RUNTIME}/")} == wanted
    copied = {name.removeprefix(rendered): data for name, data in inside.items() if name.startswith(rendered)}
    assert copied == {name.removeprefix(f"{RUNTIME}/"): data for name, data in wanted.items()}


@pytest.mark.parametrize("project", ["runtime", "."])
def test_a_wheel_from_the_source_distribution_is_the_same(clone: Path, project: str, tmp_path: Path) -> None:
    for name in ("sdist", "unpacked", "one", "two"):
        (tmp_path / name).mkdir()
    sdist = build(clone / project, tmp_path / "sdist", "--sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert contents(build(source, tmp_path / "one", "--wheel")) == contents(
        build(clone / project, tmp_path / "two", "--wheel")
    )


def test_an_installed_plugsmith_has_the_runtime(wheel: Path, tmp_path: Path) -> None:
    """Without the dependencies, which are those of this Python: `tests/generator/test_installed.py` installs them."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = f"import {RUNTIME} as it, plugsmith; print(it.__file__, it.__version__, plugsmith.__version__, it.Plugin)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[:3] == [f"{tmp_path}/{RUNTIME}/__init__.py", __version__, __version__]


def test_a_repository_with_a_copy_of_the_runtime_needs_what_the_runtime_needs(tmp_path: Path) -> None:
    runtime = tomllib.loads((ROOT / "runtime/pyproject.toml").read_text())["project"]
    rendered = tomllib.loads((render(tmp_path / "plugin") / "pyproject.toml").read_text())["project"]
    assert rendered["dependencies"] == runtime["dependencies"]
    extras = rendered["optional-dependencies"]
    assert {name: extras[name] for name in runtime["optional-dependencies"]} == runtime["optional-dependencies"]


def test_plugsmith_needs_what_the_runtime_in_it_needs() -> None:
    runtime = tomllib.loads((ROOT / "runtime/pyproject.toml").read_text())["project"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(runtime["dependencies"]) <= set(project["dependencies"])
