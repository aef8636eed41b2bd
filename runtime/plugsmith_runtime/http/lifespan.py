"""ASGI lifespan protocol: startup and shutdown of an application."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

from ..errors import PlugsmithError
from .responses import AsgiApp, Message

logger = logging.getLogger(__name__)

# What an application gets after it has said that its shutdown is complete.
_FINISH_SECONDS = 1.0


class LifespanError(PlugsmithError):
    """An application that failed to start up or shut down; the text is its own."""


class Lifespan:
    """The lifespan of an application, in a task of its own.

    Args:
        app: the application.
        mode: "on" where the application must have the protocol, "off" where it has not, "auto" to find out.

    Attributes:
        state: what the application keeps for its requests.
    """

    def __init__(self, app: AsgiApp, mode: Literal["auto", "on", "off"]) -> None:
        self._app = app
        self._mode = mode
        self._task: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._done: asyncio.Future[None] | None = None
        self.state: dict[str, Any] = {}

    async def startup(self) -> None:
        """Start the application up.

        Raises:
            LifespanError: it cannot start, or lacks the protocol although the mode is "on".
        """
        if self._mode == "off":
            return
        self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            await self._exchange("lifespan.startup")
        except LifespanError:
            await self._end(0)
            raise
        except Exception as error:
            # Whatever an application does with a scope that it does not know says that it lacks the protocol.
            await self._end(0)
            if self._mode == "on":
                raise LifespanError(f"the application failed at startup: {error!r}") from error

    async def shutdown(self) -> None:
        """Shut the application down.

        Raises:
            LifespanError: it failed.
        """
        if self._task is None:
            return
        try:
            await self._exchange("lifespan.shutdown")
        except LifespanError:
            raise
        except Exception as error:
            raise LifespanError(f"the application failed at shutdown: {error!r}") from error
        finally:
            await self._end(_FINISH_SECONDS)

    async def _end(self, seconds: float) -> None:
        """End the application, which has said all that counts and may finish within some seconds."""
        task, self._task = self._task, None
        assert task is not None
        await asyncio.wait((task,), timeout=seconds)
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.debug("the application's lifespan ended with an error", exc_info=error)

    async def _exchange(self, event: str) -> None:
        """Send an event and wait for its answer, or for the end of the application."""
        assert self._task is not None
        self._done = asyncio.get_running_loop().create_future()
        if self._task.done():
            self._task.result()
            return
        self._events.put_nowait({"type": event})
        await asyncio.wait((self._done, self._task), return_when=asyncio.FIRST_COMPLETED)
        if self._done.done():
            self._done.result()
        else:
            self._task.result()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self._app(scope, self._events.get, self._send)

    async def _send(self, message: Message) -> None:
        _, phase, outcome = message["type"].split(".")
        if self._done is None or self._done.done():
            raise RuntimeError(f"{message['type']!r} is not due")
        if outcome == "complete":
            self._done.set_result(None)
        else:
            text = message.get("message") or "the application gives no reason"
            self._done.set_exception(LifespanError(f"the application failed at {phase}: {text}"))
