"""gRPC load by h2load, which posts one framed request to the method's path."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from ..calls import METHOD
from ..inputs import Input
from . import InFlight, Load, percentiles
from .tool import run


def drive(address: str, call: Input, seconds: float, in_flight: InFlight | None = None) -> Load:
    """Call for some seconds, unless told otherwise over 4 connections with 4 calls each; see load.Generator."""
    connections, streams = in_flight or (4, 4)
    with tempfile.TemporaryDirectory() as folder:
        body, log = Path(folder, "body"), Path(folder, "log")
        body.write_bytes(call.grpc_frame)
        whole = max(1, round(seconds))
        command = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{whole}", "-d", str(body)]
        headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        url = f"http://127.0.0.1:{address}{METHOD}"
        output = run([*command, *headers, f"--log-file={log}", url], "nghttp2-client", seconds)
        answers = [line.split() for line in log.read_text().splitlines()]
    found = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", output)
    if not answers or found is None or any(status != "200" for _, status, _ in answers):
        raise RuntimeError(f"h2load: a call failed\n{output}")
    return Load(len(answers), whole, *percentiles([int(microseconds) / 1e3 for _, _, microseconds in answers]))
