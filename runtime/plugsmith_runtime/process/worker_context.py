"""The context of a worker: its channel to the supervisor, and what it gets and tells by it."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..net.connections import ConnectionLimiter
from ..net.sockets import SocketProvider
from .channel import KILL_AFTER_GRACE_SECONDS, SUPERVISOR_GONE, WORKER_FD_ENV, WORKER_ID_ENV, Channel

logger = logging.getLogger(__name__)


class WorkerContext:
    """This process is one worker of several.

    Args:
        channel: leads to the supervisor.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @classmethod
    def from_environ(cls) -> WorkerContext | None:
        """The context that this process was started with; None when it is no worker."""
        # Taken out of the environment: what a plugin starts is no worker.
        descriptor = os.environ.pop(WORKER_FD_ENV, None)
        if descriptor is None:
            return None
        os.set_inheritable(int(descriptor), False)
        return cls(Channel(socket.socket(fileno=int(descriptor))))

    def listeners(self, connections: ConnectionLimiter) -> SocketProvider:
        """The sockets that all workers share.

        Args:
            connections: this worker's; a new one goes to the worker that has the fewest.

        Raises:
            StartError: the supervisor is gone.
        """
        from .shared_sockets import SharedSocketProvider

        return SharedSocketProvider(self._channel, int(os.environ[WORKER_ID_ENV]), connections)

    def ready(self, message: dict[str, Any]) -> None:
        """Tell that this worker answers calls.

        Args:
            message: what the supervisor tells of it.
        """
        # Without a supervisor nobody wants to know, and `watch` sees to the rest.
        with suppress(OSError):
            self._channel.send({"ready": message})

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
            logger.error("%s; stopping", SUPERVISOR_GONE)
            # The loop may be closed: then this process is ending already.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop)
            threading.Event().wait(grace + KILL_AFTER_GRACE_SECONDS)
            os._exit(1)

        threading.Thread(target=look, name="supervisor-watch", daemon=True).start()
