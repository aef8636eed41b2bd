"""A worker's side: what it gets from its supervisor, and what it tells."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import StartError
from ..listeners import Factory, Listeners
from .channel import LEAVING, VARIABLE, Channel
from .turns import TakingTurns

logger = logging.getLogger(__name__)

_GONE = "the supervisor of this worker is gone"


class Membership:
    """This process is one worker of several.

    Args:
        channel: leads to the supervisor.

    Attributes:
        listeners: hands out the sockets that all workers share.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.listeners = _SharedListeners(channel)

    @classmethod
    def found(cls) -> Membership | None:
        """The membership that this process was started with; None when it stands alone."""
        # Taken out of the environment: what a plugin starts is no worker.
        descriptor = os.environ.pop(VARIABLE, None)
        if descriptor is None:
            return None
        os.set_inheritable(int(descriptor), False)
        return cls(Channel(socket.socket(fileno=int(descriptor))))

    def serving(self, lines: list[str]) -> None:
        """Tell that this worker answers calls.

        Args:
            lines: what a server that stands alone would print.

        Raises:
            StartError: the supervisor is gone.
        """
        try:
            self._channel.send({"serving": lines})
        except OSError as problem:
            raise StartError(_GONE) from problem

    def watch(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None], grace: float) -> None:
        """Look after the supervisor from a thread, since the event loop may be blocked.

        Args:
            loop: the event loop.
            stop: called in the loop when the supervisor is gone.
            grace: seconds that calls in flight get then; some seconds later this process ends, whatever it is doing.
        """

        def look() -> None:
            poll = select.poll()
            # No event is asked for: the end of the other side is always reported.
            poll.register(self._channel.fileno(), 0)
            poll.poll()
            logger.error("%s; stopping", _GONE)
            # The loop may be closed: then this process is ending already.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop)
            threading.Event().wait(grace + LEAVING)
            os._exit(1)

        threading.Thread(target=look, name="supervisor-watch", daemon=True).start()


class _SharedListeners(Listeners):
    """Asks the supervisor for sockets; their files are the supervisor's too."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def tcp(self, name: str, host: str, port: int, setting: str) -> socket.socket:
        """See Listeners."""
        return self._ask(kind="tcp", name=name, host=host, port=port, setting=setting)

    def unix(self, name: str, path: str, setting: str) -> socket.socket:
        """See Listeners."""
        return self._ask(kind="unix", name=name, path=path, setting=setting)

    async def serve(
        self,
        factory: Factory,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        handshake: float | None = None,
    ) -> asyncio.AbstractServer:
        """See Listeners."""
        return TakingTurns(factory, sock, tls, handshake)

    def remove(self, path: str) -> None:
        """See Listeners: the other workers go on using the file."""

    def _ask(self, **question: Any) -> socket.socket:
        try:
            self._channel.send({"ask": question})
            answers, descriptor = self._channel.receive()
            while not answers:
                answers, _ = self._channel.receive()
        except (OSError, EOFError) as problem:
            raise StartError(_GONE) from problem
        if descriptor is None:
            raise StartError(answers[0]["error"])
        sock = socket.socket(fileno=descriptor)
        sock.setblocking(False)
        return sock
