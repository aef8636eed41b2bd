"""The server behind the connections: who may connect, and which method answers a call."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..http2 import Connection, Fields, Limits, Stream, StreamHandler
from ..net.peer_credentials import AllowedUsers
from ..tls.identity import ClientAllowList, client_identities, main_identity
from .call import ReceiveBudget, StreamingCall
from .messages import CODINGS
from .status import StatusCode, StatusError, http_error, refusal

if TYPE_CHECKING:
    from ..host.host import Host
    from ..plugin_server.settings import ServerSettings

logger = logging.getLogger(__name__)

CallFactory = Callable[[Stream, Fields, ReceiveBudget], StreamHandler]
"""Makes the call of a request; may raise StatusError."""

NAME = "grpc"
_BEAT = 1.0
_KEEPALIVE = {"TCP_KEEPIDLE": 120, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
_DENIED = "this client certificate is not in the server's allowed_clients"
# Connections end up to a tenth before their age, so that not all clients come back at once.
_JITTER = 0.1


class Caller(NamedTuple):
    """Who is at the other end of a connection.

    Attributes:
        identity: the name in the verified TLS certificate.
        allowed: whether it may call.
        until: when it has to connect anew, in the event loop's time.
    """

    identity: str | None
    allowed: bool
    until: float


class CompletedCall:
    """The exchange of a request that was answered at once."""

    def __init__(self, stream: Stream, answer: bytes) -> None:
        self._stream = stream
        stream.send(b"", b"", answer)

    def data(self, chunk: bytes, ended: bool) -> None:
        """See StreamHandler."""

    def late(self) -> None:
        """See StreamHandler."""

    def reset(self) -> None:
        """See StreamHandler."""
        self._stream.close()


class GrpcServer:
    """The connections and the methods.

    Args:
        host: counts the connections.
        settings: limits and TLS.
        methods: makes the calls, by the path of their method.

    Attributes:
        limits: see ConnectionHandler.
        connections: the open ones.
        empty: set while there is none.
    """

    def __init__(self, host: Host, settings: ServerSettings, methods: Mapping[bytes, CallFactory]) -> None:
        limits = settings.limits
        # A client that sends more hooks than may run at once is to be told so, not to be kept waiting.
        self.limits = Limits(2 * limits.concurrent_hooks + 100, limits.header_bytes, limits.read_time, limits.idle)
        self.connections: set[Connection] = set()
        self.empty = asyncio.Event()
        self.empty.set()
        self._draining = False
        self._counted = host.connections
        self._users = AllowedUsers(limits.uids, "PLUGINS_ALLOWED_UIDS")
        self._tls = settings.grpc.tls
        self._allowed_clients = ClientAllowList(self._tls.allowed_clients if self._tls else ())
        self._age = settings.grpc.max_connection_age
        self._grace = settings.grace
        self._methods = methods
        self._intake = ReceiveBudget(limits.message_bytes, 8 * limits.message_bytes, limits.read_time)
        self._loop = asyncio.get_running_loop()
        self._last_beat = self._loop.time()
        self._timer = self._loop.call_later(_BEAT, self._beat)

    def drain(self, grace: float) -> None:
        """Send the clients elsewhere, and end the calls that would never end by themselves.

        Args:
            grace: seconds that calls in flight get.
        """
        self._draining = True
        for connection in list(self.connections):
            connection.drain(grace)
            for stream in list(connection.streams.values()):
                if isinstance(stream.exchange, StreamingCall):
                    stream.exchange.finish()

    def stop(self) -> None:
        """End the watch over the connections' times."""
        self._timer.cancel()

    def opened(self, connection: Connection) -> bool:
        """See ConnectionHandler."""
        # A TLS handshake may end when the server has begun to stop.
        if self._draining or not self._may_connect(connection.transport) or not self._counted.acquire(NAME):
            return False
        connection.info = self._caller(connection.transport)
        self.connections.add(connection)
        self.empty.clear()
        return True

    def lost(self, connection: Connection) -> None:
        """See ConnectionHandler."""
        if connection not in self.connections:
            return
        self._counted.release(NAME)
        self.connections.discard(connection)
        if not self.connections:
            self.empty.set()

    def exchange(self, stream: Stream, fields: Fields | None) -> StreamHandler:
        """See ConnectionHandler."""
        try:
            return self._call(stream, fields)
        except StatusError as error:
            return CompletedCall(stream, refusal(stream.number, error))

    def _call(self, stream: Stream, fields: Fields | None) -> StreamHandler:
        if fields is None:
            text = f"the header fields are larger than {self.limits.header_bytes} bytes (PLUGINS_MAX_HEADER_BYTES)"
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)
        if fields.get(b":method") != b"POST":
            return CompletedCall(stream, http_error(stream.number, 405))
        if not fields.get(b"content-type", b"").startswith(b"application/grpc"):
            return CompletedCall(stream, http_error(stream.number, 415))
        if not stream.connection.info.allowed:
            raise StatusError(StatusCode.PERMISSION_DENIED, _DENIED)
        path = fields.get(b":path", b"")
        make = self._methods.get(path)
        if make is None:
            raise StatusError(StatusCode.UNIMPLEMENTED, f"this server has no method {path.decode(errors='replace')}")
        if fields.get(b"grpc-encoding", b"identity") not in CODINGS:
            raise StatusError(StatusCode.UNIMPLEMENTED, f"messages are read in {b', '.join(CODINGS).decode()}")
        return make(stream, fields, self._intake)

    def _may_connect(self, transport: asyncio.Transport) -> bool:
        sock = transport.get_extra_info("socket")
        if sock.family == socket.AF_UNIX:
            return self._users.admits(transport)
        # A client that vanished without a word does not hold its connection for ever, even with a call open.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if self._tls is None:
            return True
        chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
        if chosen != "h2":
            logger.warning("grpc: a TLS client is refused: it does not ask for HTTP/2 (ALPN h2)")
        return bool(chosen == "h2")

    def _caller(self, transport: asyncio.Transport) -> Caller:
        until = math.inf if self._age is None else self._loop.time() + self._age * random.uniform(1 - _JITTER, 1)
        if self._tls is None:
            return Caller(None, True, until)
        names = client_identities(transport.get_extra_info("peercert"))
        identity = main_identity(names)
        logger.info("TLS client %s connected from %s", identity, transport.get_extra_info("peername"))
        return Caller(identity, self._allowed_clients.admits(names), until)

    def _beat(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(_BEAT, self._beat)
        stood_still = now - self._last_beat > 2 * _BEAT
        self._last_beat = now
        if stood_still:
            # A hook blocked the event loop: what clients sent meanwhile is read first.
            return
        for connection in list(self.connections):
            connection.check_times(now)
            if now > connection.info.until:
                connection.drain(self._grace)
