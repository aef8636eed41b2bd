"""A server of this plugin in another process, for commands that try it out."""

from __future__ import annotations

import shlex
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..errors import StartError
from ..plugin_server.endpoints import server_command
from ..plugin_server.readiness import READY_FD_ENV, ServerReady
from ..process.child import ChildExitedError, ChildProcess
from ..process.readiness import ReadyPipe

_START_LIMIT_SECONDS = 30.0
_STOP_LIMIT_SECONDS = 30.0


@asynccontextmanager
async def subprocess_server(package: str, transports: list[str], config: str) -> AsyncIterator[list[str]]:
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
    on_demand = []
    if "stdio" in transports:
        command = server_command(package, "--transport", "stdio", "--config", config, "--log-level", "ERROR")
        on_demand.append("stdio:" + shlex.join(command))
    listening = ",".join(name for name in transports if name != "stdio")
    if not listening:
        yield on_demand
        return
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        places = ["--port", "0", "--grpc-port", "0", "--grpc-uds", f"{folder}/g.sock", "--socket", f"{folder}/u.sock"]
        options = ["--transport", listening, "--config", config, "--log-level", "WARNING", *places]
        server = await ChildProcess.start(
            server_command(package, *options), readiness=ReadyPipe(READY_FD_ENV), stdout=DEVNULL
        )
        try:
            yield await _endpoints(server) + on_demand
        finally:
            await server.stop(_STOP_LIMIT_SECONDS)


async def _endpoints(server: ChildProcess) -> list[str]:
    try:
        message = await server.wait_ready(_START_LIMIT_SECONDS)
    except ChildExitedError:
        raise StartError(f"the server did not start (exit code {server.exit_code})") from None
    except TimeoutError as error:
        raise StartError(f"the server was not ready within {_START_LIMIT_SECONDS:g} s") from error
    return [endpoint for found in ServerReady.from_message(message).endpoints.values() for endpoint in found]
