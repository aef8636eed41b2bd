"""A worker's side: what it gets from its supervisor, and what it tells."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ..net.connections import ConnectionLimiter
from ..net.listeners import SocketProvider
from .names import GONE, LEAVING, NUMBER, VARIABLE

if TYPE_CHECKING:
    from .channel import Channel

logger = logging.getLogger(__name__)


class WorkerContext:
    """This process is one worker of several.

    Args:
        channel: leads to the supervisor.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    def found(cls) -> WorkerContext | None:
        """The membership that this process was started with; None when it stands alone."""
        # Taken out of the environment: what a plugin starts is no worker.
        descriptor = os.environ.pop(VARIABLE, None)
        if descriptor is None:
            return None
        from .channel import Channel

        os.set_inheritable(int(descriptor), False)
        return cls(Channel(socket.socket(fileno=int(descriptor))))

    def listeners(self, connections: ConnectionLimiter) -> SocketProvider:
        """The sockets that all workers share.

        Args:
            connections: this worker's; a new one goes to the worker that has the fewest.

        Raises:
            StartError: the supervisor is gone.
        """
        from .shared_listeners import SharedSocketProvider

        return SharedSocketProvider(self._channel, int(os.environ[NUMBER]), connections)

    def serving(self, lines: list[str]) -> None:
        """Tell that this worker answers calls.

        Args:
            lines: what a server that stands alone would print.
        """
        # Without a supervisor nobody wants to know, and `watch` sees to the rest.
        with suppress(OSError):
            self._channel.send({"serving": lines})

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
            logger.error("%s; stopping", GONE)
            # The loop may be closed: then this process is ending already.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop)
            threading.Event().wait(grace + LEAVING)
            os._exit(1)

        threading.Thread(target=look, name="supervisor-watch", daemon=True).start()
