"""Each tutorial is followed from its first block to its last, in a clone, as a reader would."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rendering import ROOT

from .steps import Reader, read_steps

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the project, with what is not committed yet."""
    folder = tmp_path_factory.mktemp("tutorials") / "plugsmith"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture
def reader(clone: Path, tmp_path: Path, short_path: Path) -> Iterator[Reader]:
    """A reader in a copy of the clone, with ports and sockets that nobody else uses."""
    home = tmp_path / "plugsmith"
    shutil.copytree(clone, home, symlinks=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGINS_", "VIRTUAL_ENV"))}
    person = Reader(
        home,
        clean
        | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PLUGINS_SERVER_PORT": str(free_port()),
            "PLUGINS_GRPC_SERVER_PORT": str(free_port()),
            "PLUGINS_UNIX_SOCKET_PATH": str(short_path / "p.sock"),
        },
    )
    yield person
    person.leave()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_it_works_as_it_says(tutorial: Path, reader: Reader) -> None:
    steps = read_steps(tutorial)
    assert steps
    for step in steps:
        reader.follow(step)
