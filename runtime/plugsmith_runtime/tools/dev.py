"""`dev`: serve, and take changes of the code and of the configuration over as they are saved."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterable
from typing import Any

from ..cli.terminal import Colours
from ..errors import StartError
from ..plugin_server import options
from ..plugin_server.commands import serve
from ..plugin_server.readiness import ReadinessOutput, ServerReady
from ..plugin_server.settings import package_folder
from ..process.channel import WORKER_FD_ENV


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("dev", help="serve, and reload on save", description=__doc__)
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C, which is a clean end."""
    if WORKER_FD_ENV in os.environ:  # a server that this command has started
        return serve.run(arguments)
    try:
        import watchfiles
    except ImportError:
        raise StartError("dev needs the package watchfiles: install the extra 'dev' (make install-dev)") from None
    path, file, settings = options.load(arguments)
    if "stdio" in settings.transports:
        raise StartError("dev cannot serve stdio, where the gateway starts the server; name others with --transport")
    folders = {package_folder(settings.package), path.absolute().parent}
    folders |= {(path.parent / name).resolve() for name in file.plugin_dirs}

    async def changes(stop: asyncio.Event) -> AsyncIterator[Iterable[str]]:
        async for found in watchfiles.awatch(*sorted(folders), stop_event=stop, raise_interrupt=False):
            yield [name for _, name in found]

    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    colours = Colours(sys.stderr)

    def say(text: str) -> None:
        print(colours(f"dev: {text}", "cyan"), file=sys.stderr, flush=True)

    output = ReadinessOutput(settings)

    def on_ready(message: Any) -> None:
        output.ready(ServerReady.from_message(message))
        say("saved changes are taken over; Ctrl-C ends")

    from .reloader import Reloader

    environ = os.environ | {"PLUGINS_DEV": "true"}
    asyncio.run(Reloader(changes, settings.grace, environ, on_ready, say).run())
    return 0
