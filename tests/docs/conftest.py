"""Readers of the documentation, and what they begin with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.rendering import ROOT
from tests.template.updating import IDENTITY

from .steps import Reader

Begin = Callable[[Path], Reader]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the project, with what is not committed yet."""
    folder = tmp_path_factory.mktemp("docs") / "plugsmith"
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
def begin(short_path: Path) -> Iterator[Begin]:
    """Let a reader begin in a folder, with ports and sockets that nobody else uses; at the end nothing of it runs."""
    readers = []

    def begin(folder: Path) -> Reader:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGINS_", "VIRTUAL_ENV"))}
        own = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PLUGINS_SERVER_PORT": str(_free_port()),
            "PLUGINS_GRPC_SERVER_PORT": str(_free_port()),
            "PLUGINS_UNIX_SOCKET_PATH": str(short_path / "p.sock"),
            # People look whether a server is up before they call it; `make call` can wait for it.
            "WAIT": "60",
        }
        # They have told git who they are, which a new machine does not know.
        readers.append(Reader(folder, clean | IDENTITY | own))
        return readers[-1]

    yield begin
    for reader in readers:
        reader.leave()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
