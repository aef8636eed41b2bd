"""Runs a command on a terminal of its own, as a person sees it."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def on_a_terminal(command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> str:
    """Run a command whose three streams are one terminal, and return what it wrote there.

    Args:
        command: the command.
        cwd: its folder.
        environ: its environment.
    """
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env={**environ, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
        )
    finally:
        os.close(theirs)
    written = b""
    with process:
        while part := _read(ours):
            written += part
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that nobody holds the other end any more
        return b""
