"""Code that misuses the stubs must not type-check: types that accept everything would pass the other tests as well."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stubs.harness import build

_WRONG = {
    "known = known_pb2.Known(gone=1)": 'Unexpected keyword argument "gone"',
    "known = known_pb2.Known(struct=struct_pb2.Struct())": 'Argument "struct" to "Known" has incompatible type',
    "known_pb2.Known().text.value = 1": "Incompatible types in assignment",
    'known_pb2.Known().HasField("gone")': 'Argument 1 to "HasField"',
    "known_pb2_grpc.KnownsStub(1)": 'No overload variant of "KnownsStub"',
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("wrong")
    build("well_known", "isolated", root, root.with_name("protos"))
    return root


def test_is_found(package: Path) -> None:
    head = "from google.protobuf import struct_pb2\n\nfrom .api import known_pb2, known_pb2_grpc\n\n"
    (package / "isolated_well_known" / "inner" / "use.py").write_text(head + "\n".join(_WRONG) + "\n", "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(package / "cache"), "."]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=300)
    found = [line.split(":", 2)[1:] for line in done.stdout.splitlines() if "use.py" in line and ": error:" in line]
    by_line = {int(number) - 5: message for number, message in found}
    assert sorted(by_line) == list(range(len(_WRONG))), done.stdout
    for index, expected in enumerate(_WRONG.values()):
        assert expected in by_line[index], done.stdout
