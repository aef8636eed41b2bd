"""`dev`: serve, and take changes of the code and of the configuration over as they are saved."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from ..cli import Colours
from ..errors import StartError
from ..plugin_server import options
from ..plugin_server.commands import serve
from ..plugin_server.readiness import ReadinessOutput, ServerReady
from ..plugin_server.settings import package_folder
from ..process.channel import KILL_AFTER_GRACE_SECONDS, WORKER_FD_ENV
from ..process.child import ChildExitedError, ChildProcess
from ..process.shared_sockets import SharedSockets
from ..process.stop_signals import stop_signals
from ..process.supervisor import own_command, start_worker

_START_LIMIT_SECONDS = 60.0

Changes = AsyncIterator[Iterable[str]]


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

    environ = os.environ | {"PLUGINS_DEV": "true"}
    asyncio.run(Reloader(changes, settings.grace, environ, on_ready, say).run())
    return 0


class Reloader:
    """Keeps one server process, which runs the command line of this process, as new as its files.

    Args:
        changes: makes an iterator over the changes of the files; it ends when the event is set.
        grace: seconds that calls in flight get when a server stops.
        environ: the environment of the servers.
        on_ready: told what the first server tells that is ready.
        say: tells the person at the terminal what happens.
    """

    def __init__(
        self,
        changes: Callable[[asyncio.Event], Changes],
        grace: float,
        environ: dict[str, str],
        on_ready: Callable[[Any], None],
        say: Callable[[str], None],
    ) -> None:
        self._changes = changes
        self._grace = grace
        self._environ = environ
        self._on_ready = on_ready
        self._say = say
        self._announced = False
        self._sockets = SharedSockets()
        self._current: ChildProcess | None = None
        self._alive: set[ChildProcess] = set()
        self._ending: set[ChildProcess] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal comes."""
        with stop_signals(self._on_stop_signal, self._on_second_signal):
            await self._run()

    async def _run(self) -> None:
        try:
            watching = asyncio.create_task(self._watch())
            while not self._stop.is_set():
                await self._replace()
                await self._wake.wait()
                self._wake.clear()
                if self._changed:
                    self._say(f"changed: {', '.join(sorted(self._changed))}")
                    self._changed.clear()
            await watching
        finally:
            self._sockets.close()
            for server in self._alive:
                self._end(server)
            await asyncio.gather(*self._ends)

    async def _watch(self) -> None:
        """Note what changes, also while a server is starting."""
        async for paths in self._changes(self._stop):
            # Editors save by way of files that are gone again: name those that are there, if any is.
            self._changed |= {os.path.relpath(path) for path in paths if os.path.exists(path)} or {"files removed"}
            self._wake.set()

    async def _replace(self) -> None:
        """Start a server, and end the one before it once the new one answers; say so when it does not."""
        began = time.monotonic()
        server = await start_worker(1, self._sockets, own_command(), self._environ)
        self._alive.add(server)
        self._ends.add(asyncio.create_task(self._ended(server)))
        if self._stop.is_set():
            return self._end(server)
        try:
            await server.wait_ready(_START_LIMIT_SECONDS)
        except (ChildExitedError, TimeoutError) as error:
            if self._stop.is_set():
                return None
            if isinstance(error, TimeoutError):
                self._say(f"it does not answer after {_START_LIMIT_SECONDS:g} s")
                server.kill()
            kept = "the old code goes on serving" if self._current else "waiting for a change"
            return self._say(f"this does not start (the reason is above); {kept}")
        if self._stop.is_set():
            return None
        previous, self._current = self._current, server
        if previous is not None:
            self._end(previous)
        if self._announced:
            self._say(f"serving the new code, after {time.monotonic() - began:.1f} s")
        else:
            self._announced = True
            self._on_ready(server.ready_value)

    async def _ended(self, server: ChildProcess) -> None:
        await server.ended
        self._alive.discard(server)
        self._ending.discard(server)
        if server is self._current and not self._stop.is_set():
            self._current = None
            self._say(f"the server {server.exit_reason}; waiting for a change")

    def _end(self, server: ChildProcess) -> None:
        if server in self._ending:  # a second signal would cut off its calls
            return
        self._ending.add(server)
        server.terminate()
        asyncio.get_running_loop().call_later(self._grace + KILL_AFTER_GRACE_SECONDS, server.kill)

    def _on_second_signal(self, number: signal.Signals) -> None:
        self._say("second signal: leaving at once")
        for server in self._alive:
            server.kill()

    def _on_stop_signal(self, number: signal.Signals) -> None:
        self._stop.set()
        self._wake.set()
        for server in self._alive:
            self._end(server)
