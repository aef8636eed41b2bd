"""Load on the Unix socket: a raw client, in a process of its own, that sends calls before the last is answered."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.support.environments import environment

from ..inputs import Input
from . import Load
from .tool import run

CONNECTIONS, PIPELINED = 4, 4
# The client must cost less than the server.
REQUIREMENTS = ["uvloop>=0.21"]


def drive(address: str, call: Input, seconds: float) -> Load:
    """Call for some seconds over 4 connections with 4 calls in flight each; see load.Generator."""
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder, "frame")
        frame.write_bytes(call.unix_frame)
        client = Path(__file__).with_name("unix_client.py")
        shape = [str(CONNECTIONS), str(PIPELINED), str(seconds)]
        python = str(environment("load", REQUIREMENTS))
        output = run([python, str(client), address, str(frame), *shape], "python3", seconds)
    return Load(*json.loads(output))
