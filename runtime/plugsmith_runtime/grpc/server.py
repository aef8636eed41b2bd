"""gRPC server: services behind HTTP/2 connections; who may connect, how long, and how it drains."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ..http2.hpack import Fields
from ..http2.server import ConnectionLimits, ServerConnection
from ..http2.stream import Stream, StreamHandler, StreamResetError
from ..net.connections import AllowedUsers, ConnectionLimiter, ConnectionSet
from ..net.deadlines import LoopStallMonitor
from ..net.sockets import Acceptor
from ..tls.identity import ClientAllowList, client_identities, main_identity
from .message_reader import ReceiveBudget
from .server_call import CallLimits, StreamingCall
from .service import Service
from .status import StatusCode, StatusError
from .wire import ENCODINGS, error_trailers, http_error, in_parentheses

logger = logging.getLogger(__name__)

_TCP_KEEPALIVE = {"TCP_KEEPIDLE": 120, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
# Connections end up to a tenth before their age, so that not all clients come back at once.
_AGE_JITTER = 0.1
_BUFFERED_MESSAGES = 8


class SettingNames(NamedTuple):
    """Names of the settings behind limits, which error texts tell; empty for none."""

    max_message_bytes: str = ""
    max_header_bytes: str = ""
    read_timeout: str = ""


_NO_NAMES = SettingNames()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Limits of a server; times in seconds.

    Attributes:
        max_concurrent_streams: calls of one connection at the same time.
        max_message_bytes: the largest message that is read; eight of them may be in memory before they are whole.
        max_header_bytes: the largest fields of a request.
        read_timeout: in which a unary request must arrive.
        idle_timeout: after which a connection without calls is closed.
        max_connection_age: after which a client has to connect anew, up to a tenth less.
        max_connection_age_grace: that calls get which are in flight then.
        setting_names: for error texts.
        secure: whether the listeners use TLS, and clients must choose HTTP/2 in its handshake (ALPN).
        allowed_clients: names in client certificates; empty for everybody whom TLS lets in.
    """

    max_concurrent_streams: int = 100
    max_message_bytes: int = 4 << 20
    max_header_bytes: int = 64 << 10
    read_timeout: float = 30.0
    idle_timeout: float = 300.0
    max_connection_age: float | None = None
    max_connection_age_grace: float = 10.0
    setting_names: SettingNames = _NO_NAMES
    secure: bool = False
    allowed_clients: Collection[str] = ()


class Peer(NamedTuple):
    """Client at the other end of a connection.

    Attributes:
        identity: the name in its verified TLS certificate.
        allowed: whether it may call.
        expires_at: when it has to connect anew, in the event loop's time.
    """

    identity: str | None
    allowed: bool
    expires_at: float


class Server:
    """Server made of services.

    It listens nowhere: give `protocol` to whatever accepts connections.

    Args:
        services: what is served.
        options: limits.
        name: under which its connections are counted.
        limiter: counts the connections, with those of other servers.
        users: who may connect to Unix sockets; everybody whom the file's mode lets in unless given.

    Attributes:
        limits: see ConnectionHandler.
        connections: the open ones.
    """

    def __init__(
        self,
        services: Iterable[Service],
        options: ServerOptions | None = None,
        name: str = "grpc",
        limiter: ConnectionLimiter | None = None,
        users: AllowedUsers | None = None,
    ) -> None:
        self._options = options = options or ServerOptions()
        self.limits = ConnectionLimits(
            options.max_concurrent_streams, options.max_header_bytes, options.read_timeout, options.idle_timeout
        )
        self.connections: ConnectionSet[ServerConnection] = ConnectionSet(name)
        self._draining = False
        self._name = name
        self._limiter = limiter
        self._users = users or AllowedUsers()
        self._allowed_clients = ClientAllowList(options.allowed_clients)
        self._methods = {
            f"/{service.name}/{method.name}".encode(): method.call_factory
            for service in services
            for method in service.methods
        }
        names = options.setting_names
        most = options.max_message_bytes
        budget = ReceiveBudget(most, _BUFFERED_MESSAGES * most, names.max_message_bytes)
        self._call_limits = CallLimits(budget, options.read_timeout, names.read_timeout)
        self._loop = asyncio.get_running_loop()
        self._monitor = LoopStallMonitor(self._check_connections)

    def protocol(self) -> ServerConnection:
        """The protocol of a new connection."""
        return ServerConnection(self)

    def drain(self, grace: float) -> None:
        """Send the clients elsewhere, and end the streams that would never end by themselves.

        Args:
            grace: seconds that calls in flight get.
        """
        self._draining = True
        for connection in self.connections:
            connection.drain(grace)
            for stream in list(connection.streams.values()):
                if isinstance(stream.handler, StreamingCall):
                    stream.handler.on_drain()

    async def stop(self, acceptors: Iterable[Acceptor], grace: float) -> None:
        """Accept no more, drain, and cut off what is left after the grace.

        Args:
            acceptors: what accepts the server's connections.
            grace: seconds that calls in flight get.
        """
        await self.connections.drain(acceptors, grace, partial(self.drain, grace))
        self._monitor.stop()

    def on_connect(self, connection: ServerConnection) -> bool:
        """See ConnectionHandler."""
        # A TLS handshake may end when the server has begun to stop.
        if self._draining or not self._may_connect(connection.transport):
            return False
        if self._limiter is not None and not self._limiter.acquire(self._name):
            return False
        connection.info = self._peer(connection.transport)
        self.connections.add(connection)
        return True

    def on_disconnect(self, connection: ServerConnection) -> None:
        """See ConnectionHandler."""
        if connection not in self.connections:
            return
        if self._limiter is not None:
            self._limiter.release(self._name)
        self.connections.discard(connection)

    def on_request(self, stream: Stream, fields: Fields | None) -> StreamHandler:
        """See ConnectionHandler."""
        try:
            return self._call(stream, fields)
        except StatusError as error:
            return _CompletedCall(stream, error_trailers(stream.stream_id, error))

    def _call(self, stream: Stream, fields: Fields | None) -> StreamHandler:
        if fields is None:
            setting = in_parentheses(self._options.setting_names.max_header_bytes)
            text = f"the header fields are larger than {self.limits.max_header_bytes} bytes{setting}"
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)
        if fields.get(b":method") != b"POST":
            return _CompletedCall(stream, http_error(stream.stream_id, 405))
        if not fields.get(b"content-type", b"").startswith(b"application/grpc"):
            return _CompletedCall(stream, http_error(stream.stream_id, 415))
        if not stream.connection.info.allowed:
            text = "this client certificate is not in the server's allowed_clients"
            raise StatusError(StatusCode.PERMISSION_DENIED, text)
        path = fields.get(b":path", b"")
        make_call = self._methods.get(path)
        if make_call is None:
            raise StatusError(StatusCode.UNIMPLEMENTED, f"this server has no method {path.decode(errors='replace')}")
        if fields.get(b"grpc-encoding", b"identity") not in ENCODINGS:
            raise StatusError(StatusCode.UNIMPLEMENTED, f"messages are read in {b', '.join(ENCODINGS).decode()}")
        return make_call(stream, fields, self._call_limits)

    def _may_connect(self, transport: asyncio.Transport) -> bool:
        sock = transport.get_extra_info("socket")
        if sock.family == socket.AF_UNIX:
            return self._users.admits(transport)
        # A client that vanished without a word does not hold its connection for ever, even with a call open.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP_KEEPALIVE.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if not self._options.secure:
            return True
        protocol = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        if protocol != "h2":
            logger.warning("a TLS client is refused: it does not ask for HTTP/2 (ALPN h2)")
        return bool(protocol == "h2")

    def _peer(self, transport: asyncio.Transport) -> Peer:
        age = self._options.max_connection_age
        expires_at = math.inf if age is None else self._loop.time() + age * random.uniform(1 - _AGE_JITTER, 1)
        if not self._options.secure:
            return Peer(None, True, expires_at)
        names = client_identities(transport.get_extra_info("peercert"))
        identity = main_identity(names)
        logger.info("TLS client %s connected from %s", identity, transport.get_extra_info("peername"))
        return Peer(identity, self._allowed_clients.admits(names), expires_at)

    def _check_connections(self, now: float) -> None:
        for connection in self.connections:
            connection.check_timeouts(now)
            if now > connection.info.expires_at:
                connection.drain(self._options.max_connection_age_grace)


class _CompletedCall:
    """Handler of a request that was answered at once."""

    def __init__(self, stream: Stream, answer: bytes) -> None:
        self._stream = stream
        stream.send(b"", b"", answer)

    def on_headers(self, fields: Fields, ended: bool) -> None:
        """See StreamHandler."""

    def on_data(self, data: bytes, ended: bool) -> None:
        """See StreamHandler."""

    def on_timeout(self) -> None:
        """See StreamHandler."""

    def on_reset(self, error: StreamResetError) -> None:
        """See StreamHandler."""
        self._stream.close()
