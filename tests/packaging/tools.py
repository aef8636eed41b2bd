"""Small things that the tests of packaging share."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests.support.environments import environment


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def linter(name: str, requirement: str, *words: str | Path, stdin: str | None = None) -> str:
    """Run a checker of another format from an environment of its own; returns what it had to say."""
    program = environment(name, [requirement]).with_name(name)
    done = subprocess.run([program, *words], input=stdin, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr + f"exit code {done.returncode}"
