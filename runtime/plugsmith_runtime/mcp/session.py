"""Sessions of MCP clients: the level of their log, and the requests of theirs that can be cancelled.

A session holds nothing that a result depends on. A server over HTTP therefore takes any session id, also one that
another process gave out or that it has forgotten itself.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from .jsonrpc import RequestId
from .protocol import HANDSHAKE_VERSIONS

_SESSIONS_LIMIT = 10_000


class Session:
    """A client's session.

    Args:
        session_id: its name, where the transport has several.

    Attributes:
        version: the protocol revision that `initialize` agreed on.
        log_level: index in LOG_LEVELS of the least severe log message that the client takes.
        initialized: set when the client has said that it is ready.
        streaming: whether the client has a stream open for what belongs to no request.
    """

    def __init__(self, session_id: str = "") -> None:
        self.id = session_id
        self.version = HANDSHAKE_VERSIONS[-1]
        self.log_level = 0
        self.initialized = asyncio.Event()
        self.streaming = False
        self._running: dict[RequestId, asyncio.Task[Any]] = {}
        self._cancelled: set[asyncio.Task[Any]] = set()

    async def run(self, request_id: RequestId, work: Coroutine[Any, Any, bytes]) -> bytes | None:
        """Carry a request out until `cancel` names it.

        Args:
            request_id: the request's id.
            work: makes the answer.

        Returns:
            The answer; None when the request was cancelled: it is not answered then.
        """
        task = asyncio.current_task()
        assert task is not None
        self._running[request_id] = task
        try:
            return await work
        except asyncio.CancelledError:
            if task not in self._cancelled:
                raise
            task.uncancel()
            return None
        finally:
            self._cancelled.discard(task)
            if self._running.get(request_id) is task:
                del self._running[request_id]

    def cancel(self, request_id: Any) -> None:
        """Cancel a request, when it is running."""
        task = self._running.get(request_id) if type(request_id) in (int, str) else None
        if task is not None and task not in self._cancelled:
            self._cancelled.add(task)
            task.cancel()


class SessionStore:
    """The sessions of a server over HTTP, by their ids; those least recently used are forgotten."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def create(self) -> Session:
        """A new session."""
        return self.get(uuid.uuid4().hex)

    def get(self, session_id: str) -> Session:
        """The session with an id."""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(session_id)
            if len(self._sessions) > _SESSIONS_LIMIT:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(session_id)
        return session


class ChangeSignal:
    """Tells any number of waiters that something has changed; changes that come faster than a waiter looks are one."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Event] = set()
        self.closed = False

    def set(self) -> None:
        """Wake all waiters."""
        for waiter in self._waiters:
            waiter.set()

    def close(self) -> None:
        """End all waiting."""
        self.closed = True
        self.set()

    @contextmanager
    def watch(self) -> Iterator[ChangeWatch]:
        """Watch for changes from now on."""
        event = asyncio.Event()
        self._waiters.add(event)
        try:
            yield ChangeWatch(self, event)
        finally:
            self._waiters.discard(event)


class ChangeWatch:
    """One waiter of a ChangeSignal."""

    def __init__(self, signal: ChangeSignal, event: asyncio.Event) -> None:
        self._signal = signal
        self._event = event

    async def changed(self) -> bool:
        """Wait for a change.

        Returns:
            Whether there is one; False when the signal is closed.
        """
        if not self._signal.closed:
            await self._event.wait()
            self._event.clear()
        return not self._signal.closed
