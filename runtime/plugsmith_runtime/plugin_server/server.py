"""The plugin server: makes host, observability and transports, starts them, waits, drains and stops them."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from ..errors import StartError
from ..host.config import PluginConfig
from ..host.host import Host
from ..net.connections import ConnectionLimiter
from ..net.sockets import SocketProvider
from ..process.stop_signals import stop_signals
from .observability import Observability
from .readiness import ServerReady
from .settings import TRANSPORTS, ServerSettings

logger = logging.getLogger(__name__)

_TRANSPORT_CLASSES = {
    "http": "HttpTransport",
    "stdio": "StdioTransport",
    "grpc": "GrpcTransport",
    "unix": "UnixTransport",
}


class Transport(Protocol):
    """One way to reach the host."""

    finished: asyncio.Event | None
    """Set by the transport when its only client is gone for good (stdio); None when clients may always come."""

    async def start(self) -> list[str]:
        """Listen, and return the endpoints that clients can use."""

    async def stop(self, grace: float) -> None:
        """Accept no more, let calls in flight finish within `grace` seconds, and close."""


class TransportFactory(Protocol):
    """A transport's class."""

    def __call__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> Transport:
        """Make the transport; it listens after `start`."""


def load_transport(name: str) -> TransportFactory:
    """Import a transport's class.

    Args:
        name: http, stdio, grpc or unix.

    Raises:
        StartError: the name is unknown, or a package that the transport needs is not installed.
    """
    if name not in TRANSPORTS:
        raise StartError(f"unknown transport {name!r}; choose from {', '.join(TRANSPORTS)}")
    try:
        module = importlib.import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(str(__package__).rpartition(".")[0]):
            raise
        raise StartError(
            f"transport {name!r} needs the package {error.name}; install the extra 'grpc' (make install-grpc)"
        ) from error
    return cast(TransportFactory, getattr(module, _TRANSPORT_CLASSES[name]))


class Server:
    """One host behind any number of transports, on one event loop of any thread.

    Args:
        plugins: the plugins' entries in the configuration file.
        settings: which transports to serve, and where.
        on_ready: told where the server answers, once all transports listen.
        listeners: makes what the listening sockets come from, given the limit on connections; they are opened here
            when None.

    Raises:
        StartError: what the settings ask for is not installed here, or the supervisor of this worker is gone.
    """

    def __init__(
        self,
        plugins: list[PluginConfig],
        settings: ServerSettings,
        on_ready: Callable[[ServerReady], None] | None = None,
        listeners: Callable[[ConnectionLimiter], SocketProvider] | None = None,
    ) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._observability = Observability(settings)
        self._host = Host(
            plugins,
            settings.hook_timeout,
            settings.limits.concurrent_hooks,
            settings.limits.connections,
            settings.dev,
            observers=self._observability.observers,
            tracer=self._observability.tracer,
            metrics=self._observability.metrics,
        )
        self._listeners = listeners(self._host.connections) if listeners else SocketProvider()
        self._transports: list[Transport] = []
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until a call of `stop`, or the end of the last transport that can end.

        Raises:
            StartError: a plugin or a transport cannot start; whatever had started is stopped again.
        """
        # Find missing packages and wrong names before any plugin is touched.
        factories = [(name, load_transport(name)) for name in self._settings.transports]
        if not factories:
            raise StartError("no transport to serve; name one with --transport or PLUGINS_TRANSPORT")
        # Made before the plugins are loaded: stdio takes standard output away from whatever a plugin prints.
        made = [(name, factory(self._host, self._settings, self._listeners)) for name, factory in factories]
        try:
            endpoints = await self._observability.start(self._host, self._listeners)
            await self._host.start()
            for name, transport in made:
                endpoints[name] = await transport.start()
                self._transports.append(transport)
            if self._on_ready:
                self._on_ready(ServerReady(self._host.names, endpoints))
            self._observability.serving()
            await self._wait()
        finally:
            self._host.drain()
            grace = self._settings.grace
            await asyncio.gather(*(transport.stop(grace) for transport in self._transports))
            await self._host.stop()
            await self._observability.stop(grace)

    def stop(self) -> None:
        """Ask the server to drain and end; `run` returns when it has."""
        self._stop.set()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM stop the server inside the block, in the main thread; a second one ends the process.

        After the block they are ignored: all is done, and the process ends with the exit code of a clean stop.
        """
        with stop_signals(self._on_stop_signal, self._on_second_signal):
            yield

    async def _wait(self) -> None:
        events = [self._stop, *(item.finished for item in self._transports if item.finished is not None)]
        waiters = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()

    def _on_stop_signal(self, number: signal.Signals) -> None:
        logger.info("%s: stopping, calls in flight get %g s", number.name, self._settings.grace)
        self._stop.set()

    def _on_second_signal(self, number: signal.Signals) -> None:
        logger.warning("second signal: leaving at once")
        os._exit(128 + number)
