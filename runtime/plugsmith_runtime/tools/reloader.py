"""Serves while files change: a new server takes the sockets over once it answers; until then the old one goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable

from ..process.names import LEAVING
from ..process.shared_sockets import SharedSockets
from ..process.worker import WorkerProcess

_START_LIMIT = 60.0

Changes = AsyncIterator[Iterable[str]]


class Reloader:
    """Keeps one server process, which runs the command line of this process, as new as its files.

    Args:
        changes: makes an iterator over the changes of the files; it ends when the event is set.
        grace: seconds that calls in flight get when a server stops.
        environ: the environment of the servers.
        announce: told the lines that a server prints which stands alone, once.
        say: tells the person at the terminal what happens.
    """

    def __init__(
        self,
        changes: Callable[[asyncio.Event], Changes],
        grace: float,
        environ: dict[str, str],
        announce: Callable[[list[str]], None],
        say: Callable[[str], None],
    ) -> None:
        self._changes = changes
        self._grace = grace
        self._environ = environ
        self._announce = announce
        self._say = say
        self._announced = False
        self._sockets = SharedSockets()
        self._current: WorkerProcess | None = None
        self._alive: set[WorkerProcess] = set()
        self._ending: set[WorkerProcess] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        try:
            watching = loop.create_task(self._watch())
            while not self._stop.is_set():
                await self._replace()
                await self._news.wait()
                self._news.clear()
                if self._changed:
                    self._say(f"changed: {', '.join(sorted(self._changed))}")
                    self._changed.clear()
            await watching
        finally:
            self._sockets.close()
            for server in self._alive:
                self._end(server)
            await asyncio.gather(*self._ends)
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _watch(self) -> None:
        """Note what changes, also while a server is starting."""
        async for paths in self._changes(self._stop):
            # Editors save by way of files that are gone again: name those that are there, if any is.
            self._changed |= {os.path.relpath(path) for path in paths if os.path.exists(path)} or {"files removed"}
            self._news.set()

    async def _replace(self) -> None:
        """Start a server, and end the one before it once the new one answers; say so when it does not."""
        began = time.monotonic()
        server = await WorkerProcess.start(1, self._sockets, self._environ)
        self._alive.add(server)
        self._ends.add(asyncio.create_task(self._ended(server)))
        if self._stop.is_set():
            return self._end(server)
        await asyncio.wait([server.ready], timeout=_START_LIMIT)
        if self._stop.is_set():
            return None
        if not server.lines:
            if not server.ready.done():
                self._say(f"it does not answer after {_START_LIMIT:g} s")
                server.send_signal(signal.SIGKILL)
            kept = "the old code goes on serving" if self._current else "waiting for a change"
            return self._say(f"this does not start (the reason is above); {kept}")
        previous, self._current = self._current, server
        if previous is not None:
            self._end(previous)
        if self._announced:
            self._say(f"serving the new code, after {time.monotonic() - began:.1f} s")
        else:
            self._announced = True
            self._announce(server.lines)

    async def _ended(self, server: WorkerProcess) -> None:
        await server.ended
        self._alive.discard(server)
        self._ending.discard(server)
        if server is self._current and not self._stop.is_set():
            self._current = None
            self._say(f"the server {server.end}; waiting for a change")

    def _end(self, server: WorkerProcess) -> None:
        if server in self._ending:  # a second signal would cut off its calls
            return
        self._ending.add(server)
        server.send_signal(signal.SIGTERM)
        late = self._grace + LEAVING
        asyncio.get_running_loop().call_later(late, server.send_signal, signal.SIGKILL)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._say("second signal: leaving at once")
            for server in self._alive:
                server.send_signal(signal.SIGKILL)
            return
        self._stop.set()
        self._news.set()
        for server in self._alive:
            self._end(server)
