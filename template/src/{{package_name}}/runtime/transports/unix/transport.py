"""The listening Unix socket and the connections that it accepted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ....contract import plugin_service_pb2 as pb
from ...calls import HookReply, Unrepresentable
from ...codecs.protobuf import check_configs, read_call, refuse_call, write_config, write_configs, write_reply
from ...errors import ErrorCode
from .arrival import ArrivalClock
from .connection import Limits, UnixConnection

if TYPE_CHECKING:
    from ...host import Host
    from ...listeners import Listeners
    from ...settings import ServerSettings

logger = logging.getLogger(__name__)

MAX_FRAME = 16 * 1024 * 1024
_SETTING = "choose another path with --socket or PLUGINS_UNIX_SOCKET_PATH"
_IDLE = 300.0
# A Unix socket refuses clients that come while this many wait to be accepted; asyncio's own number is 100.
_BACKLOG = 2048
# Gateways wait for 30 s and hooks get 25: what is left, less one second for the way back.
_SLACK = 4.0


class UnixTransport:
    """Serves the host on a length-prefixed Unix socket.

    Args:
        host: answers the calls.
        settings: where to listen, and the limits.
        listeners: opens the socket.
    """

    finished: asyncio.Event | None = None

    def __init__(self, host: Host, settings: ServerSettings, listeners: Listeners) -> None:
        self._listeners = listeners
        self._host = host
        self._path = settings.unix.path
        self._limits = Limits(min(settings.limits.message_bytes, MAX_FRAME), host.longest_timeout + _SLACK)
        self._connections: set[UnixConnection] = set()
        self._all_lost = asyncio.Event()
        self._server: asyncio.AbstractServer
        self._clock: ArrivalClock

    async def start(self) -> list[str]:
        """Listen.

        Raises:
            StartError: the path cannot be used, or a plugin's configuration cannot travel.
        """
        check_configs(self._host.plugin_configs())
        sock = self._listeners.unix("unix", self._path, _SETTING)
        self._clock = ArrivalClock(self._close_idle)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._accept, sock=sock, backlog=_BACKLOG)
        return [f"unix://{self._path}"]

    async def stop(self, grace: float) -> None:
        """Accept no more, let calls in flight finish, close.

        Args:
            grace: seconds that calls in flight get.
        """
        # The file goes first: once the socket is closed, a new server may have put its own there.
        self._listeners.remove(self._path)
        self._server.close()
        # Requests that lie in the sockets already count as in flight: give the loop a round to read them.
        for _ in range(2):
            await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.drain()
        try:
            async with asyncio.timeout(grace):
                while self._connections:
                    self._all_lost.clear()
                    await self._all_lost.wait()
        except TimeoutError:
            logger.warning("unix: %d connections are cut off after %g s", len(self._connections), grace)
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)
        self._clock.stop()

    def _accept(self) -> UnixConnection:
        connection = UnixConnection(self._answer, self._limits, self._clock, self._lost)
        self._connections.add(connection)
        return connection

    def _lost(self, connection: UnixConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_lost.set()

    def _close_idle(self, now: float) -> None:
        for connection in [item for item in self._connections if now - item.idle_since() > _IDLE]:
            logger.info("unix: closing a connection that was idle for %g s", _IDLE)
            connection.abort()

    async def _answer(self, data: bytes) -> tuple[bytes, bool]:
        """Answer one request, whose kind shows in the fields that are set, and say whether the connection may go on.

        Raises:
            DecodeError: the bytes are no request.
        """
        # GetPluginConfigRequest has its name where a hook call has its hook, and GetPluginConfigsRequest is empty.
        request = pb.InvokeHookRequest.FromString(data)
        if request.plugin_name or request.HasField("payload") or request.HasField("context"):
            try:
                call = read_call(request, "unix")
            except Unrepresentable as problem:
                return refuse_call(request, problem, "unix"), True
            overrun = False

            def write(reply: HookReply) -> bytes:
                nonlocal overrun
                overrun = reply.error is not None and reply.error["code"] == ErrorCode.HOOK_TIMEOUT
                written = write_reply(reply)
                if len(written) > MAX_FRAME:
                    raise Unrepresentable("result", f"{len(written)} bytes are more than the {MAX_FRAME} of a message")
                return written

            # A caller with less patience than the hook has given up by now, and takes the next answer for another's.
            return await self._host.answer(call, write), not overrun
        if request.hook_type:
            return write_config(self._host.plugin_config(request.hook_type)), True
        return write_configs(self._host.plugin_configs()), True
