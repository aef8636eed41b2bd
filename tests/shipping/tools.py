"""Small things that the tests of shipping share."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.environments import environment

_PAUSE = threading.Event()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], limit: float) -> None:
    """Ask until the answer is yes; fails after `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        _PAUSE.wait(0.05)


def linter(name: str, requirement: str, *words: str | Path, stdin: str | None = None) -> str:
    """Run a checker of another format from an environment of its own; returns what it had to say."""
    program = environment(name, [requirement]).with_name(name)
    done = subprocess.run([program, *words], input=stdin, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr + f"exit code {done.returncode}"
