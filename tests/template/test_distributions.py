"""The rendered repository's wheel and sdist hold what they must, and the wheel serves from another folder."""

from __future__ import annotations

import json
import subprocess
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from generator import __version__
from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin, dependencies, render
from tests.support.serving import serve

NAME = "pii_guard"
SBOM = "plugsmith-runtime.cdx.json"
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with its distributions in dist/."""
    root = render(tmp_path_factory.mktemp("distributions") / "plugin", plugin_name="PII Guard", version="1.2.3")
    # What stands in a working copy but belongs in no distribution.
    (root / ".env").write_text("SECRET=1\n")
    (root / f"src/{NAME}/__pycache__").mkdir()
    (root / f"src/{NAME}/__pycache__/plugin.cpython-311.pyc").write_text("")
    done = subprocess.run(
        [builder(), "-m", "build", "--no-isolation", str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def builder() -> Path:
    """A Python with the tools that build and install distributions."""
    return environment("build", ["build", "hatchling>=1.28", "pip"])


def contents(root: Path) -> set[str]:
    """The files of the rendered repository, relative to it."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_the_wheel_is_complete(root: Path) -> None:
    with zipfile.ZipFile(root / f"dist/{NAME}-1.2.3-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"{NAME}-1.2.3.dist-info/METADATA").decode()
        entry_points = wheel.read(f"{NAME}-1.2.3.dist-info/entry_points.txt").decode()
    wanted = {name.removeprefix("src/") for name in contents(root) if name.startswith("src/") and ".pyc" not in name}
    wanted |= {f"{NAME}/resources/plugins/config.yaml", f"{NAME}/resources/gateway/plain_context.py"}
    wanted |= {f"{NAME}-1.2.3.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    wanted |= {f"{NAME}-1.2.3.dist-info/licenses/LICENSE", f"{NAME}-1.2.3.dist-info/sboms/{SBOM}"}
    assert names == wanted
    assert {f"{NAME}/py.typed", f"{NAME}/runtime/contract/hooks.py", f"{NAME}/runtime/__init__.py"} <= names
    assert "License-Expression: Apache-2.0" in metadata
    assert "Provides-Extra: grpc" in metadata
    assert f"pii-guard = {NAME}.__main__:main" in entry_points


def test_the_wheel_names_the_runtime_in_it(root: Path) -> None:
    with zipfile.ZipFile(root / f"dist/{NAME}-1.2.3-py3-none-any.whl") as wheel:
        bill = wheel.read(f"{NAME}-1.2.3.dist-info/sboms/{SBOM}").decode()
    (component,) = json.loads(bill)["components"]
    assert (component["name"], component["version"]) == ("plugsmith-runtime", __version__)
    assert component["purl"] == f"pkg:pypi/plugsmith-runtime@{__version__}"
    judge = environment("cyclonedx", ["cyclonedx-python-lib[json-validation]>=11,<12"])
    done = subprocess.run([judge, "-c", VALIDATE], input=bill, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr


def test_the_sdist_is_complete(root: Path) -> None:
    with tarfile.open(root / f"dist/{NAME}-1.2.3.tar.gz") as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    left_out = {".env", ".copier-answers.yml", ".gitattributes", ".github/workflows/checks.yaml"}
    wanted = {name for name in contents(root) if not name.startswith("dist/") and ".pyc" not in name} - left_out
    assert names == wanted | {"PKG-INFO"}
    assert {"LICENSE", "proto/hooks.proto", "resources/plugins/config.yaml", f"src/{NAME}/py.typed"} <= names


def test_the_wheel_serves_elsewhere(root: Path, tmp_path: Path) -> None:
    wheel = root / f"dist/{NAME}-1.2.3-py3-none-any.whl"
    elsewhere = RenderedPlugin(tmp_path, NAME, environment("rendered", dependencies(root, "grpc")))
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path / "src"), str(wheel)]
    subprocess.run([builder(), *install], check=True)
    # No resources/ here: the configuration is the one inside the wheel.
    with serve(elsewhere, "http,unix") as served:
        assert served.endpoints.keys() == {"http", "unix"}
        address = served.endpoints["http"].removesuffix("/mcp")
        with urllib.request.urlopen(f"{address}/ready?plugin=PiiGuard") as answer:
            assert json.load(answer) == {"status": "ready"}
