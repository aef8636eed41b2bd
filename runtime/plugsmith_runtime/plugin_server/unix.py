"""The transport "unix": a Unix socket of length-prefixed messages, in both versions of the protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError as ProtobufDecodeError

from ..codec.plugin_service import check_configs, read_call, write_config, write_configs, write_reply
from ..contract import plugin_service_pb2 as pb
from ..errors import DecodeError, EncodeError
from ..host.errors import ErrorCode
from ..host.messages import CallDecodeError, HookReply, OverloadedError
from ..host.respond import Send, refuse, respond
from ..net.connections import AllowedUsers, ConnectionSet
from ..net.deadlines import LoopStallMonitor
from ..unix_stream.framing import MAX_FRAME_BYTES
from ..unix_stream.server_connection import ConnectionLimits, ProtocolNegotiation, ServerConnection
from ..unix_stream.v1_server import V1Connection

if TYPE_CHECKING:
    from ..host.host import Host
    from ..net.sockets import Acceptor, SocketProvider
    from .settings import ServerSettings

_NAME = "unix"
_PATH_HELP = "choose another path with --socket or PLUGINS_UNIX_SOCKET_PATH"
# Gateways wait for 30 s and hooks get 25: what is left, less one second for the way back.
_RESPONSE_SLACK_SECONDS = 4.0
# A gateway that wants more calls in flight than these opens another connection.
_MAX_CALLS_PER_CONNECTION = 256


class UnixTransport:
    """Serves the host on a length-prefixed Unix socket, in both versions of the protocol.

    Args:
        host: answers the calls.
        settings: where to listen, and the limits.
        listeners: opens the socket.
    """

    finished: asyncio.Event | None = None

    def __init__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> None:
        self._listeners = listeners
        self._host = host
        self._path = settings.unix.path
        self._users = AllowedUsers(settings.limits.uids, "PLUGINS_ALLOWED_UIDS")
        self._limits = ConnectionLimits(
            frame_bytes=min(settings.limits.message_bytes, MAX_FRAME_BYTES),
            response_seconds=host.longest_timeout + _RESPONSE_SLACK_SECONDS,
            idle_seconds=settings.limits.idle,
            read_seconds=settings.limits.read_time,
            calls=_MAX_CALLS_PER_CONNECTION,
        )
        self._v1 = V1Handler(host)
        self._connections: ConnectionSet[ServerConnection] = ConnectionSet(_NAME)
        self._acceptor: Acceptor
        self._stalls: LoopStallMonitor

    async def start(self) -> list[str]:
        """Listen.

        Raises:
            StartError: the path cannot be used, a plugin's configuration cannot travel, or users cannot be told apart.
        """
        check_configs(self._host.plugin_entries())
        sock = self._listeners.unix(_NAME, self._path, _PATH_HELP)
        self._stalls = LoopStallMonitor(self._check_timeouts)
        self._acceptor = await self._listeners.serve(self._accept, sock)
        return [f"unix://{self._path}"]

    async def stop(self, grace: float) -> None:
        """Accept no more, let calls in flight finish, close.

        Args:
            grace: seconds that calls in flight get.
        """
        # The file goes first: once the socket is closed, a new server may have put its own there.
        self._listeners.remove(self._path)
        await self._connections.drain([self._acceptor], grace)
        self._stalls.stop()

    def _accept(self) -> ServerConnection:
        return ProtocolNegotiation(self._admit, self._upgrade, self._limits, self._on_lost)

    def _admit(self, connection: ServerConnection, transport: asyncio.BaseTransport) -> bool:
        if not self._users.admits(transport) or not self._host.connections.acquire(_NAME):
            return False
        self._connections.add(connection)
        return True

    def _upgrade(self, negotiation: ServerConnection, version: int) -> ServerConnection:
        connection: ServerConnection
        if version == 2:
            # No released gateway speaks it.
            from ..codec import unix_v2
            from ..unix_stream.v2_server import V2Connection
            from .unix_v2 import V2Handler

            connection = V2Connection(unix_v2, V2Handler(self._host).answer, self._limits, self._on_lost)
        else:
            connection = V1Connection(self._v1.answer, self._stalls, self._limits, self._on_lost)
        self._connections.add(connection)
        self._connections.discard(negotiation)
        return connection

    def _on_lost(self, connection: ServerConnection) -> None:
        self._connections.discard(connection)
        self._host.connections.release(_NAME)

    def _check_timeouts(self, now: float) -> None:
        for connection in self._connections:
            connection.check_timeouts(now)


class V1Handler:
    """The handler of version 1: from a request's bytes to those of its answer; one for all connections.

    Args:
        host: runs the hooks.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    async def answer(self, data: bytes, send: Send) -> bool:
        """Answer a request, whose kind shows in the fields that are set.

        Args:
            data: the request.
            send: takes the answer. It is called as soon as the answer is encoded: the caller reads it on another core
                while the call is recorded here.

        Returns:
            Whether the connection may go on.

        Raises:
            DecodeError: the bytes are no request.
        """
        # GetPluginConfigRequest has its name where a hook call has its hook, and GetPluginConfigsRequest is empty.
        try:
            request = pb.InvokeHookRequest.FromString(data)
        except ProtobufDecodeError as error:
            raise DecodeError(str(error)) from None
        if not (request.plugin_name or request.HasField("payload") or request.HasField("context")):
            send(self._configs(request.hook_type))
            return True
        try:
            call = read_call(request, "unix", size=len(data))
        except CallDecodeError as error:
            refuse(self._host, error, _encode, send)
            return True
        try:
            reply, _ = await respond(self._host, call, _encode, send)
        except OverloadedError as error:
            send(_encode(error.reply))
            return True
        # A caller with less patience than the hook has given up by now, and takes the next answer for another's.
        return reply.error is None or reply.error["code"] != ErrorCode.HOOK_TIMEOUT

    def _configs(self, name: str) -> bytes:
        if name:
            return write_config(self._host.plugin_entry(name))
        return write_configs(self._host.plugin_entries())


def _encode(reply: HookReply) -> bytes:
    data = write_reply(reply)
    if len(data) > MAX_FRAME_BYTES:
        raise EncodeError("result", f"{len(data)} bytes are more than the {MAX_FRAME_BYTES} of a message")
    return data
