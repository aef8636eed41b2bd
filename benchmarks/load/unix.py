"""Load on the Unix socket: a raw client, in a process of its own, that sends calls before the last is answered."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.support.environments import environment

from ..inputs import Input
from . import Load
from .tool import run

# The client must cost less than the server.
REQUIREMENTS = ["uvloop>=0.21"]


def drive(address: str, call: Input, seconds: float) -> Load:
    """Call for some seconds over 4 connections with 4 calls in flight each; see load.Generator."""
    return drive_version(1, address, call.message, seconds, 4, 4)


def drive_version(version: int, address: str, message: bytes, seconds: float, connections: int, in_flight: int) -> Load:
    """Call in one version of the protocol.

    Args:
        version: 1 or 2.
        address: the socket's path.
        message: the call; in version 2 without its number.
        seconds: how long to call.
        connections: how many connections.
        in_flight: calls in flight on each.

    Raises:
        RuntimeError: a call failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "message")
        file.write_bytes(message)
        client = Path(__file__).with_name("unix_client.py")
        shape = [str(connections), str(in_flight), str(seconds)]
        python = str(environment("load", REQUIREMENTS))
        output = run([python, str(client), str(version), address, str(file), *shape], "python3", seconds)
    return Load(*json.loads(output))
