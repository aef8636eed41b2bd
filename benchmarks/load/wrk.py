"""HTTP load by wrk."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ..calls import open_session
from ..inputs import Input
from . import InFlight, Load
from .tool import run

# Calls in flight have ids of their own: a session may refuse or mix up equal ones. Written before the load starts:
# wrk shares the cores with the server.
_SCRIPT = """
local file = io.open("{folder}/before")
local before = file:read("*a")
file:close()
file = io.open("{folder}/after")
local after = file:read("*a")
file:close()
wrk.method = "POST"
{headers}
local requests, next = {{}}, 0
init = function()
  for number = 1, {count} do
    local together = {{}}
    for place = 1, {each} do
      together[place] = wrk.format(nil, "/mcp", nil, before .. (1000 + number * {each} + place) .. after)
    end
    requests[number] = table.concat(together)
  end
end
request = function()
  next = next % {count} + 1
  return requests[next]
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\n[%d, %f, %f, %f, %d]\\n", summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def drive(address: str, call: Input, seconds: float, in_flight: InFlight | None = None) -> Load:
    """Call for some seconds, unless told otherwise over 16 connections; see load.Generator."""
    connections, each = in_flight or (16, 1)
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in open_session(address).items())
    with tempfile.TemporaryDirectory() as folder:
        before, after = call.json_rpc("@id@").split("@id@")
        Path(folder, "before").write_text(before)
        Path(folder, "after").write_text(after)
        script = Path(folder, "call.lua")
        script.write_text(_SCRIPT.format(folder=folder, headers=headers, count=8 * connections, each=each))
        whole = max(1, round(seconds))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", "30s", "-s", str(script)]
        output = run([*command, f"http://127.0.0.1:{address}/mcp"], "wrk", seconds)
    calls, lasted, p50, p99, errors = json.loads(output.strip().splitlines()[-1])
    if errors or not calls:
        raise RuntimeError(f"wrk: {errors} errors in {calls} calls\n{output}")
    return Load(calls, lasted, p50, p99)
