"""The project's own stubs: current, quick to make, and asking for the versions that the template declares."""

import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.version import Version

from generator.contract_files import STUBS
from generator.stubs import compile_stubs, differences, version_floors

_ROOT = Path(__file__).parents[2]
_CONTRACT = _ROOT / "runtime" / "plugsmith_runtime" / "contract"


def test_current() -> None:
    tree = compile_stubs(_ROOT / "proto", STUBS)
    assert differences(tree.files, _CONTRACT) == ""


def test_floors_of_the_runtime() -> None:
    floors = version_floors(path.read_text("utf-8") for path in _CONTRACT.rglob("*_pb2*.py"))
    assert set(floors) == {"grpcio", "protobuf"}
    # The template's own list is held against the runtime's in tests/release.
    project = tomllib.loads((_ROOT / "runtime" / "pyproject.toml").read_text("utf-8"))["project"]
    extra = "\n".join(project["optional-dependencies"]["grpc"])
    declared = dict(re.findall(r"^([\w-]+)>=([\d.]+)", extra, re.MULTILINE))
    assert declared["grpcio"] == floors["grpcio"]
    # grpcio's own packages of that version need a little more than the stubs.
    assert Version(declared["protobuf"]) >= Version(floors["protobuf"])
    assert Version(declared["protobuf"]).major == Version(floors["protobuf"]).major


def test_under_three_seconds(tmp_path: Path) -> None:
    command = ["-m", "generator", "stubs", "--proto", "proto", "--out", str(tmp_path), "plugin_service.proto"]
    before = _cpu_seconds_of_children()
    subprocess.run([sys.executable, *command], cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    assert _cpu_seconds_of_children() - before < 3


def _cpu_seconds_of_children() -> float:
    """What processes that have ended used, however busy the machine is with other tests."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
