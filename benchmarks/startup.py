"""Seconds from the start of a rendered plugin's server to its first answered call, for each transport.

Prints the median of several starts, each in a new process. Run by `nox -s startup`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from tests.support.rendering import RenderedPlugin, rendered_plugin
from tests.support.serving import environ

_PROBE = """
import asyncio, importlib, json, sys, time
from {package}.runtime.client import connect

async def main(transport, folder):
    command = [sys.executable, "-m", "{package}", "serve", "--log-level", "ERROR", "--transport", transport]
    places = ["--port", "0", "--grpc-port", "0", "--socket", folder + "/u.sock"]
    if transport == "grpc":
        importlib.import_module("grpc.aio")
    start = time.perf_counter()
    server = None
    if transport == "stdio":
        import shlex
        endpoint = "stdio:" + shlex.join(command)
    else:
        server = await asyncio.create_subprocess_exec(
            *command, *places, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        line = (await server.stderr.readline()).decode()
        endpoint = line.strip().rpartition(" on ")[2]
    client = await connect(endpoint)
    payload = {{"name": "t", "args": {{"text": "hello"}}}}
    reply = await client.invoke("tool_pre_invoke", "{plugin}", payload, {{"global_context": {{"request_id": "1"}}}})
    seconds = time.perf_counter() - start
    assert "result" in reply, reply
    await client.close()
    if server is not None:
        server.terminate()
        await server.wait()
    print(json.dumps(seconds))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def first_answer(plugin: RenderedPlugin, name: str, transport: str) -> float:
    """Start a server, call it once, and return the seconds that passed."""
    script = _PROBE.format(package=plugin.package, plugin=name)
    with tempfile.TemporaryDirectory(prefix="ps-") as folder:
        done = subprocess.run(
            [str(plugin.python), "-c", script, transport, folder],
            cwd=plugin.root,
            env=environ(plugin),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    return float(json.loads(done.stdout))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="starts for each transport [default: %(default)s]")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="startup-") as folder:
        name = "WordGuard"
        plugin = rendered_plugin(Path(folder) / "plugin", "grpc", plugin_name="Word Guard")
        print(f"seconds from start to first answer, median of {runs}")
        for transport in ("unix", "http", "stdio", "grpc"):
            first_answer(plugin, name, transport)  # compiles the modules
            seconds = [first_answer(plugin, name, transport) for _ in range(runs)]
            print(f"{transport:6} {statistics.median(seconds):.3f}")


if __name__ == "__main__":
    main()
