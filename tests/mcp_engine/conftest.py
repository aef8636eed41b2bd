"""Servers with tools of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTTP_SERVERS = ("http", "uvicorn")


def everything_command(kind: str) -> list[str]:
    """The command of a server, for an environment that has nothing of this one."""
    path = f"PYTHONPATH={ROOT / 'runtime'}{os.pathsep}{ROOT}"
    return ["env", path, sys.executable, "-m", "tests.mcp_engine.everything", kind]


@pytest.fixture(scope="session", params=HTTP_SERVERS)
def everything(request: pytest.FixtureRequest) -> Iterator[str]:
    """The endpoint of a server over HTTP: on our host and on uvicorn."""
    with subprocess.Popen(everything_command(request.param), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.wait(10.0) == 0
