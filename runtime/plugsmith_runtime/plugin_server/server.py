"""A server's life: start the plugins, start the transports, wait, drain, stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable

from ..errors import StartError
from ..host.host import Host
from ..net.listeners import SocketProvider
from .observability import Observability
from .settings import ServerSettings
from .transports import Transport, load_transport

logger = logging.getLogger(__name__)


class Server:
    """One host behind any number of transports, on one event loop.

    Args:
        host: the host, not yet started.
        settings: which transports to serve, and where.
        observability: observes the host.
        on_ready: told the endpoints of each transport once all of them listen.
        listeners: where the listening sockets come from; opened here unless given.
    """

    def __init__(
        self,
        host: Host,
        settings: ServerSettings,
        observability: Observability,
        on_ready: Callable[[dict[str, list[str]]], None] | None = None,
        listeners: SocketProvider | None = None,
    ) -> None:
        self._host = host
        self._settings = settings
        self._observability = observability
        self._on_ready = on_ready
        self._listeners = listeners or SocketProvider()
        self._transports: list[Transport] = []
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal, a call of `stop`, or the end of the last transport that can end.

        Raises:
            StartError: a plugin or a transport cannot start; whatever had started is stopped again.
        """
        # Find missing packages and wrong names before any plugin is touched.
        factories = [(name, load_transport(name)) for name in self._settings.transports]
        if not factories:
            raise StartError("no transport to serve; name one with --transport or PLUGINS_TRANSPORT")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        # Made before the plugins are loaded: stdio takes standard output away from whatever a plugin prints.
        made = [(name, factory(self._host, self._settings, self._listeners)) for name, factory in factories]
        try:
            endpoints = await self._observability.start(self._host, self._listeners)
            await self._host.start()
            for name, transport in made:
                endpoints[name] = await transport.start()
                self._transports.append(transport)
            if self._on_ready:
                self._on_ready(endpoints)
            self._observability.serving()
            # What lives now lives as long as the process: keep the collector from walking it again and again.
            gc.collect()
            gc.freeze()
            await self._wait()
        finally:
            self._host.drain()
            grace = self._settings.grace
            await asyncio.gather(*(transport.stop(grace) for transport in self._transports))
            await self._host.stop()
            await self._observability.stop(grace)
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Ask the server to drain and end; `run` returns when it has."""
        self._stop.set()

    async def _wait(self) -> None:
        events = [self._stop, *(item.finished for item in self._transports if item.finished is not None)]
        waiters = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            logger.warning("second signal: leaving at once")
            os._exit(128 + number)
        logger.info("%s: stopping, calls in flight get %g s", signal.Signals(number).name, self._settings.grace)
        self._stop.set()
