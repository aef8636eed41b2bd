"""What `pip install` of this project gives: a `plugsmith` that renders without a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environments import uv

from .test_new import tree
from .tools import LIMIT, ROOT, plugsmith


def run(*command: str) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of an installed wheel, which was built from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    tool = uv()
    assert tool, "uv is missing; install the dependency group test"
    run(tool, "build", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(out), str(ROOT))
    run(tool, "venv", "--python", sys.executable, str(out / "venv"))
    run(tool, "pip", "install", "--python", str(out / "venv" / "bin" / "python"), str(next(out.glob("*.whl"))))
    return out / "venv" / "bin" / "plugsmith"


def test_it_renders_what_the_checkout_renders(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "new", "p", "--defaults"], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert plugsmith("new", str(tmp_path / "q"), "--defaults").returncode == 0
    assert tree(tmp_path / "p") == tree(tmp_path / "q")


def test_it_brings_the_runtime(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed.with_name("python"), "-Ic", "import plugsmith_runtime.plugin_server as it; print(it.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "/site-packages/plugsmith_runtime/" in done.stdout


def test_it_compiles_stubs(installed: Path, tmp_path: Path) -> None:
    subprocess.run(
        [installed, "stubs", "--proto", ROOT / "proto", "--out", tmp_path / "stubs", "plugin_service.proto"],
        cwd=tmp_path, capture_output=True, check=True, timeout=LIMIT,
    )  # fmt: skip
    assert (tmp_path / "stubs" / "plugin_service_pb2_grpc.pyi").is_file()


def test_its_own_contract_is_for_checkouts(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "contract"], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 2
    assert done.stderr.endswith(": this is no checkout of plugsmith; name one with --root\n")
