"""The way to one server: connections that come back, a breaker, and certificates that are renewed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ..client import Client, RequestNotSentError
from ..errors import StartError
from .backoff import Backoff
from .breaker import Breaker
from .config import ConnectionConfig
from .connecting import open_client
from .files import FileWatch
from .metrics import ConnectionMetrics
from .pool import Pool
from .unavailable import Reason, UnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TICK = 1.0
_PROBE_TIMEOUT = 5.0


class RemoteConnection:
    """Carries calls to one server; a task of its own keeps the connections up.

    Attributes:
        generation: rises with every time that the server was found again, maybe as another one.

    Args:
        config: where the server is.
    """

    def __init__(self, config: ConnectionConfig) -> None:
        self.generation = 0
        self._config = config
        self._pool = Pool(self._connect, config.wanted)
        self._breaker = Breaker(config.breaker_failures)
        self._backoff = Backoff()
        self._metrics = ConnectionMetrics(config.endpoint)
        self._files = FileWatch(config.tls.paths if config.tls else ())
        self._keeper: asyncio.Task[None] | None = None
        # Whether the last attempt to connect got no answer, which costs time; to be refused costs none.
        self._stalled = False
        self._said = ""

    async def start(self) -> None:
        """Connect, and keep the connection from now on, also when there is none yet.

        Raises:
            UnavailableError: the server cannot be reached, or a certificate cannot be used.
        """
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep())
        if not self._pool.connected:
            await self._open()

    async def call(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        """Ask the server something.

        Args:
            ask: makes the call on a connection; called again when nothing of it was sent.

        Raises:
            UnavailableError: there is no answer.
        """
        if self._breaker.is_open and (self._stalled or self._pool.connected):
            raise UnavailableError(Reason.TIMEOUT, "it has left calls without an answer, and answers no probe yet")
        for _ in range(2):
            client = self._pool.pick() or await self._open()
            try:
                answer = await ask(client)
            except RequestNotSentError:
                await self._pool.drop(client)
                continue
            except TimeoutError:
                if self._breaker.timed_out():
                    logger.warning("%s leaves calls without an answer: calls fail at once now", self._config.endpoint)
                raise UnavailableError(Reason.TIMEOUT, f"no answer within {self._config.deadline:g} s") from None
            except OSError as error:
                if self._config.pooled or not client.usable:
                    await self._pool.drop(client)
                    self._down(_told(error))
                raise UnavailableError(Reason.UNREACHABLE, _told(error)) from error
            self._breaker.answered()
            return answer
        raise UnavailableError(Reason.UNREACHABLE, "the connection was closed twice before the call could be sent")

    async def close(self) -> None:
        """Close all connections."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._pool.close()
        self._metrics.down()

    async def _open(self) -> Client:
        try:
            return await self._pool.open()
        except (OSError, StartError) as error:
            self._stalled = isinstance(error, TimeoutError)
            if self._stalled:
                self._breaker.timed_out()
            self._down(_told(error))
            raise UnavailableError(Reason.UNREACHABLE, _told(error)) from error

    async def _connect(self) -> Client:
        config = self._config
        first = not self._pool.connected
        try:
            async with asyncio.timeout(min(config.connect_timeout, config.deadline)):
                client = await open_client(config)
        except TimeoutError:
            raise TimeoutError(f"no connection within {config.connect_timeout:g} s") from None
        if first:
            self.generation += 1
            self._backoff.reset()
            self._breaker.answered()
            self._metrics.up()
            self._stalled = False
            self._said = ""
            logger.info("connected to %s", config.endpoint)
        return client

    async def _keep(self) -> None:
        """Reconnect, look for renewed certificates, and probe a server that does not answer."""
        while True:
            try:
                await asyncio.sleep(_TICK if self._pool.connected else self._backoff.pause())
                await self._look()
            except (OSError, UnavailableError, StartError):
                continue
            except Exception:
                logger.exception("keeping the connection to %s failed", self._config.endpoint)

    async def _look(self) -> None:
        had = self._pool.connected
        if await self._pool.sweep() and not self._pool.connected:
            self._down("the server closed the connection")
            self._breaker.answered()
        elif had and self._files.changed():
            await self._replace()
        while not self._pool.complete:
            await self._open()
        if self._breaker.is_open and (client := self._pool.pick()):
            async with asyncio.timeout(_PROBE_TIMEOUT):
                await client.plugin_configs()
            self._breaker.probed()
            logger.info("%s answers again", self._config.endpoint)

    async def _replace(self) -> None:
        """Connect with the new certificates; the former connections end when their calls have ended."""
        try:
            client = await self._pool.open()
        except (OSError, StartError) as error:
            # Files are renewed one after the other, and the server may be slower: the next look tries again.
            self._say(f"the certificates changed but cannot be used yet: {_told(error)}")
            return
        self._files.use()
        logger.info("connected to %s with the renewed certificates", self._config.endpoint)
        for former in self._pool.keep_only(client):
            asyncio.get_running_loop().call_later(self._config.deadline, _close_later, former)

    def _down(self, reason: str) -> None:
        if self._pool.connected:
            return
        self._metrics.down()
        self._say(f"no connection: {reason}; trying again")

    def _say(self, text: str) -> None:
        """Warn, but not of the same thing again and again."""
        if text != self._said:
            self._said = text
            logger.warning("%s: %s", self._config.endpoint, text)


def _told(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _close_later(client: Client) -> None:
    task = asyncio.get_running_loop().create_task(client.close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


_closing: set[asyncio.Task[Any]] = set()
