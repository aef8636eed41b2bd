"""A server of this plugin in another process, for commands that try it out."""

from __future__ import annotations

import asyncio
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..errors import StartError
from ..plugin_server.endpoints import server_command

_START_LIMIT = 30.0


@asynccontextmanager
async def own_server(package: str, transports: list[str], config: str) -> AsyncIterator[list[str]]:
    """Run `serve` in another process on free ports and sockets of its own, until the block ends.

    Args:
        package: the plugin's package.
        transports: what to serve; for stdio, whose server its client starts, the endpoint holds the command.
        config: the configuration file.

    Yields:
        The endpoints; gRPC has two, a port and a socket.

    Raises:
        StartError: the server does not start; its own error is printed before.
    """
    started = []
    if "stdio" in transports:
        command = server_command(package, "--transport", "stdio", "--config", config, "--log-level", "ERROR")
        started.append("stdio:" + shlex.join(command))
    listening = [name for name in transports if name != "stdio"]
    if not listening:
        yield started
        return
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        async with _listening(package, listening, folder, config) as endpoints:
            yield endpoints + started


@asynccontextmanager
async def _listening(package: str, transports: list[str], folder: str, config: str) -> AsyncIterator[list[str]]:
    places = ["--port", "0", "--grpc-port", "0", "--grpc-uds", f"{folder}/g.sock", "--socket", f"{folder}/u.sock"]
    options = ["--transport", ",".join(transports), "--config", config, "--log-level", "WARNING", *places]
    command = server_command(package, *options)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    expected = len(transports) + ("grpc" in transports)
    endpoints: list[str] = []
    try:
        async with asyncio.timeout(_START_LIMIT):
            while len(endpoints) < expected:
                line = (await process.stderr.readline()).decode(errors="replace").rstrip()
                if not line and process.stderr.at_eof():
                    raise StartError(f"the server did not start (exit code {await process.wait()})")
                before, found, endpoint = line.rpartition(" on ")
                if found and before.startswith("serving "):
                    endpoints.append(endpoint)
                else:
                    print(line, file=sys.stderr)
        # Somebody must go on reading, or a talkative plugin fills the pipe and stands still.
        echo = asyncio.create_task(_echo(process.stderr))
        yield endpoints
    except TimeoutError as error:
        raise StartError(f"the server was not ready within {_START_LIMIT:g} s") from error
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await echo


async def _echo(stream: asyncio.StreamReader) -> None:
    while line := await stream.readline():
        print(line.decode(errors="replace").rstrip(), file=sys.stderr)
