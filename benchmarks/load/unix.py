"""Load on the Unix socket: a raw client, in a process of its own, that sends calls before the last is answered."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.support.environments import environment

from ..inputs import Input
from . import InFlight, Load
from .tool import run

# The client must cost less than the server.
REQUIREMENTS = ["uvloop>=0.21"]


def drive(address: str, call: Input, seconds: float, in_flight: InFlight | None = None) -> Load:
    """Call for some seconds, unless told otherwise over 4 connections with 4 calls each; see load.Generator."""
    return drive_version(1, address, call.message, seconds, in_flight or InFlight(4, 4))


def drive_version(version: int, address: str, message: bytes, seconds: float, in_flight: InFlight) -> Load:
    """Call in one version of the protocol.

    Args:
        version: 1 or 2.
        address: the socket's path.
        message: the call; in version 2 without its number.
        seconds: how long to call.
        in_flight: how many calls at once.

    Raises:
        RuntimeError: a call failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "message")
        file.write_bytes(message)
        client = Path(__file__).with_name("unix_client.py")
        shape = [*map(str, in_flight), str(seconds)]
        python = str(environment("load", REQUIREMENTS))
        output = run([python, str(client), str(version), address, str(file), *shape], "python3", seconds)
    return Load(*json.loads(output))
