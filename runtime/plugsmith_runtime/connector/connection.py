"""Connections to plugin servers: reconnection, circuit breaker, renewal of certificates, and who shares them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ..client import Client, RequestNotSentError, connect
from ..errors import StartError
from ..process.backoff import Backoff
from ..tls.files import FileStates, FileWatch
from .config import ConnectionConfig
from .metrics import ConnectionMetrics
from .pool import Pool
from .unavailable import Reason, UnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

_CHECK_INTERVAL_SECONDS = 1.0
_PROBE_TIMEOUT_SECONDS = 5.0
_RECONNECT_INITIAL_SECONDS = 0.1
_RECONNECT_MAXIMUM_SECONDS = 5.0
_RECONNECT_JITTER = 0.75
_SEND_ATTEMPTS = 2


class CircuitBreaker:
    """Circuit breaker: keeps a server that does not answer from costing a deadline on every call.

    Calls without an answer in time open it. Refused connections do not count: they cost nothing, and a server that
    comes back must get its first call.

    Args:
        failure_threshold: calls in a row without an answer that open the breaker.
    """

    def __init__(self, failure_threshold: int) -> None:
        self._failure_threshold = failure_threshold
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return self._failures >= self._failure_threshold

    def record_timeout(self) -> bool:
        """Count a call without an answer, and return whether that call opened the breaker."""
        self._failures += 1
        return self._failures == self._failure_threshold

    def reset(self) -> None:
        """Close the breaker: the server answered, whatever the answer was."""
        self._failures = 0

    def close_on_trial(self) -> None:
        """Close the breaker after a successful probe: one more call without an answer opens it again."""
        self._failures = min(self._failures, self._failure_threshold - 1)


class RemoteConnection:
    """Connection to one server, which a background task keeps up.

    Attributes:
        generation: counter that rises each time the connection is established again; the server behind it may be
            another one then.

    Args:
        config: where the server is.
    """

    def __init__(self, config: ConnectionConfig) -> None:
        self.generation = 0
        self._config = config
        self._pool = Pool(self._connect, config.pool_size)
        self._breaker = CircuitBreaker(config.breaker_failures)
        self._backoff = Backoff(_RECONNECT_INITIAL_SECONDS, _RECONNECT_MAXIMUM_SECONDS, _RECONNECT_JITTER)
        self._metrics = ConnectionMetrics(config.endpoint)
        self._tls_files = FileWatch(config.tls.paths if config.tls else ())
        self._maintenance: asyncio.Task[None] | None = None
        # A connection attempt that times out costs time on every call; one that is refused costs none.
        self._connect_timed_out = False
        self._last_warning = ""

    async def start(self) -> None:
        """Connect, and keep the connection up from now on, even when this first attempt fails.

        Raises:
            UnavailableError: the server cannot be reached, or a certificate cannot be used.
        """
        if self._maintenance is None:
            self._maintenance = asyncio.get_running_loop().create_task(self._maintain())
        if not self._pool.connected:
            await self._open()

    async def call(self, send: Callable[[Client], Awaitable[T]]) -> T:
        """Make a call.

        Args:
            send: makes the call on a client; called again when nothing of the request was sent.

        Raises:
            UnavailableError: the server gave no answer.
        """
        if self._breaker.is_open and (self._connect_timed_out or self._pool.connected):
            raise UnavailableError(Reason.TIMEOUT, "it has left calls without an answer, and answers no probe yet")
        for _ in range(_SEND_ATTEMPTS):
            client = self._pool.pick() or await self._open()
            try:
                answer = await send(client)
            except RequestNotSentError:
                await self._pool.drop(client)
                continue
            except TimeoutError:
                if self._breaker.record_timeout():
                    logger.warning("%s leaves calls without an answer: calls fail at once now", self._config.endpoint)
                raise UnavailableError(Reason.TIMEOUT, f"no answer within {self._config.deadline:g} s") from None
            except OSError as error:
                if self._config.connection_per_call or not client.usable:
                    await self._pool.drop(client)
                    self._disconnected(_describe(error))
                raise UnavailableError(Reason.UNREACHABLE, _describe(error)) from error
            self._breaker.reset()
            return answer
        raise UnavailableError(Reason.UNREACHABLE, "the connection was closed twice before the call could be sent")

    async def close(self) -> None:
        """Close all connections."""
        if self._maintenance is not None:
            self._maintenance.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._maintenance
        await self._pool.close()
        self._metrics.disconnected()

    async def _open(self) -> Client:
        try:
            return await self._pool.open()
        except (OSError, StartError) as error:
            self._connect_timed_out = isinstance(error, TimeoutError)
            if self._connect_timed_out:
                self._breaker.record_timeout()
            self._disconnected(_describe(error))
            raise UnavailableError(Reason.UNREACHABLE, _describe(error)) from error

    async def _connect(self) -> Client:
        config = self._config
        first = not self._pool.connected
        try:
            async with asyncio.timeout(min(config.connect_timeout, config.deadline)):
                client = await connect(config.address, tls=config.client_tls, timeout=config.deadline)
        except TimeoutError:
            raise TimeoutError(f"no connection within {config.connect_timeout:g} s") from None
        if first:
            self.generation += 1
            self._backoff.reset()
            self._breaker.reset()
            self._metrics.connected()
            self._connect_timed_out = False
            self._last_warning = ""
            logger.info("connected to %s", config.endpoint)
        return client

    async def _maintain(self) -> None:
        """Reconnect, take up renewed certificates, and probe a server that does not answer."""
        while True:
            try:
                await asyncio.sleep(_CHECK_INTERVAL_SECONDS if self._pool.connected else self._backoff.next_delay())
                await self._check()
            except (OSError, UnavailableError, StartError):
                continue
            except Exception:
                logger.exception("keeping the connection to %s failed", self._config.endpoint)

    async def _check(self) -> None:
        was_connected = self._pool.connected
        if await self._pool.sweep() and not self._pool.connected:
            self._disconnected("the server closed the connection")
            self._breaker.reset()
        elif was_connected and (states := self._tls_files.changed()):
            await self._renew_certificates(states)
        while not self._pool.complete:
            await self._open()
        if self._breaker.is_open and (client := self._pool.pick()):
            async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
                await client.plugin_configs()
            self._breaker.close_on_trial()
            logger.info("%s answers again", self._config.endpoint)

    async def _renew_certificates(self, states: FileStates) -> None:
        """Connect with the new certificates; the former connections close when their calls have ended."""
        try:
            client = await self._pool.open()
        except (OSError, StartError) as error:
            # Files are renewed one after the other, and the server may be slower: the next check tries again.
            self._warn(f"the certificates changed but cannot be used yet: {_describe(error)}")
            return
        self._tls_files.accept(states)
        logger.info("connected to %s with the renewed certificates", self._config.endpoint)
        for former in self._pool.keep_only(client):
            asyncio.get_running_loop().call_later(self._config.deadline, _close_in_background, former)

    def _disconnected(self, reason: str) -> None:
        if self._pool.connected:
            return
        self._metrics.disconnected()
        self._warn(f"no connection: {reason}; trying again")

    def _warn(self, text: str) -> None:
        """Log a warning, unless the last warning was the same."""
        if text != self._last_warning:
            self._last_warning = text
            logger.warning("%s: %s", self._config.endpoint, text)


class ConnectionRegistry:
    """Reference-counted connections, by event loop and settings.

    Sharing covers the entries of a plugins file, the plugins of several packages that import the same connector, and
    the copies that a gateway makes of one plugin for its virtual servers.
    """

    def __init__(self) -> None:
        self._connections: dict[
            tuple[asyncio.AbstractEventLoop, ConnectionConfig], tuple[RemoteConnection, set[Any]]
        ] = {}

    def acquire(self, config: ConnectionConfig, owner: Any) -> RemoteConnection:
        """The connection for some settings in the running event loop.

        Args:
            config: the settings.
            owner: who uses the connection until it calls `release`.
        """
        key = (asyncio.get_running_loop(), config)
        if key not in self._connections:
            self._connections[key] = (RemoteConnection(config), set())
        connection, owners = self._connections[key]
        owners.add(owner)
        return connection

    async def release(self, config: ConnectionConfig, owner: Any) -> None:
        """Close the connection when its last owner releases it.

        Args:
            config: the settings.
            owner: who called `acquire`.
        """
        key = (asyncio.get_running_loop(), config)
        if key not in self._connections:
            return
        connection, owners = self._connections[key]
        owners.discard(owner)
        if not owners:
            del self._connections[key]
            await connection.close()


CONNECTIONS = ConnectionRegistry()
"""The connections of this process."""


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def _close_in_background(client: Client) -> None:
    task = asyncio.get_running_loop().create_task(client.close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


# The event loop holds tasks only weakly.
_closing: set[asyncio.Task[Any]] = set()
