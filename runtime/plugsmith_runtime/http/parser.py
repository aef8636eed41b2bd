"""Request parser: httptools with a limit for headers and without upgrades to other protocols; and the ASGI scope of
what it has read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import unquote

import httptools

from ..errors import DecodeError
from .responses import Header
from .security import add_identities

# The version of the HTTP specification in which `send` to a client that is gone is no error.
_ASGI = {"version": "3.0", "spec_version": "2.3"}


class InvalidRequestError(DecodeError):
    """Bytes that are no HTTP request."""


class HeadersTooLargeError(DecodeError):
    """A header or trailer section that is larger than the limit, or bytes between chunks that are."""


class RequestHandler(Protocol):
    """Takes requests from the parser."""

    def on_message_begin(self) -> None:
        """A request begins."""

    def on_request(self, parser: RequestParser) -> None:
        """The headers are complete: the parser has them."""

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""

    def on_message_complete(self) -> None:
        """The request is complete."""


class RequestParser:
    """Parses the requests of one connection.

    Args:
        handler: takes them.
        max_header_bytes: the largest header section, and the largest trailer section.

    Attributes:
        target: the request target (RFC 9112, 3.2).
        headers: the headers, their names in lower case, without `Upgrade`.
        method: the method.
        http_version: the version, such as "1.1".
        keep_alive: whether the client may send another request on the connection.
    """

    target: bytes
    headers: list[Header]
    method: str
    http_version: str
    keep_alive: bool

    def __init__(self, handler: RequestHandler, max_header_bytes: int) -> None:
        self._handler = handler
        self._max_header_bytes = max_header_bytes
        # Since the request last got on: headers, trailers, and what stands between chunks.
        self._unparsed_bytes = 0
        self._upgrade_offered = False
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Parse what has come, and call the handler for it.

        Raises:
            InvalidRequestError: it is no HTTP, or asks for a tunnel (CONNECT).
            HeadersTooLargeError: a section is too large.
        """
        self._unparsed_bytes += len(data)
        rest: bytes | memoryview = data
        try:
            while rest:
                try:
                    self._parser.feed_data(rest)
                    break
                except httptools.HttpParserUpgrade as upgrade:
                    if self._parser.get_method() == b"CONNECT":
                        raise InvalidRequestError("CONNECT is for proxies") from None
                    rest = memoryview(rest)[upgrade.args[0] :]
                    head = self._restart()
                    self._parser.feed_data(head)
        except httptools.HttpParserCallbackError as error:
            # What a callback raised; a fault of ours is not the client's.
            cause = error.__context__ or error
            if isinstance(cause, (UnicodeDecodeError, httptools.HttpParserError)):
                raise InvalidRequestError(str(cause)) from error
            raise cause from None
        except httptools.HttpParserError as error:
            raise InvalidRequestError(str(error)) from error
        if self._unparsed_bytes > self._max_header_bytes:
            raise HeadersTooLargeError(f"more than {self._max_header_bytes} bytes")

    def _restart(self) -> bytes:
        """Take a new parser; returns the headers for it, without the offer to upgrade that the old one has stopped at.

        A server may ignore the offer (RFC 9110, 7.8). The request is then an ordinary one: its body is no other
        protocol, and no other request.
        """
        parser = self._parser
        start = parser.get_method(), b" ", self.target, b" HTTP/", parser.get_http_version().encode(), b"\r\n"
        lines = [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self._parser = httptools.HttpRequestParser(self)
        return b"".join((*start, *lines, b"\r\n"))

    # ---- called by httptools ----

    def on_message_begin(self) -> None:
        """A request begins."""
        self.target = b""
        self.headers = []
        self._handler.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody asks for."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The headers are complete."""
        limit = self._max_header_bytes
        if self._unparsed_bytes > limit:
            size = len(self.target) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > limit:
                raise HeadersTooLargeError(f"more than {limit} bytes")
        self._unparsed_bytes = 0
        parser = self._parser
        self._upgrade_offered = parser.should_upgrade()
        if not self._upgrade_offered:
            self.method = parser.get_method().decode("ascii")
            self.http_version = version = parser.get_http_version()
            # A client of version 1.0 that asks for it waits for a header that we do not send.
            self.keep_alive = version != "1.0" and parser.should_keep_alive()
            self._handler.on_request(self)
            # Trailers shall not join the headers that the handler has now.
            self.headers = []

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unparsed_bytes = 0
        self._handler.on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete, or the parser stops at an offer to upgrade."""
        self._unparsed_bytes = 0
        if not self._upgrade_offered:
            self._handler.on_message_complete()


def connection_scope(
    transport: asyncio.Transport, root_path: str, lifespan_state: Mapping[str, Any], tls: bool
) -> dict[str, Any]:
    """What is the same for all requests of a connection.

    Args:
        transport: the connection.
        root_path: where the application is mounted.
        lifespan_state: what the application keeps for its requests.
        tls: whether clients are known by their certificates.
    """
    state = dict(lifespan_state)
    if tls:
        add_identities(state, transport)
    return {
        "type": "http",
        "asgi": _ASGI,
        "scheme": "https" if transport.get_extra_info("sslcontext") else "http",
        "server": _address(transport.get_extra_info("sockname")),
        "client": _address(transport.get_extra_info("peername")),
        "root_path": root_path,
        "state": state,
    }


def request_scope(connection: dict[str, Any], parser: RequestParser) -> dict[str, Any]:
    """The scope of a request.

    Args:
        connection: the scope of its connection.
        parser: has read its headers.

    Raises:
        HttpParserError: the target is no URL.
        UnicodeDecodeError: the target is not ASCII.
    """
    raw_path, query = parser.target, b""
    if b"?" in raw_path or not raw_path.startswith(b"/"):
        parsed = httptools.parse_url(raw_path)
        raw_path, query = parsed.path or b"/", parsed.query or b""
    path = raw_path.decode("ascii")
    if "%" in path:
        path = unquote(path)
    scope = connection.copy()
    if root_path := scope["root_path"]:
        path, raw_path = root_path + path, root_path.encode() + raw_path
    scope["http_version"] = parser.http_version
    scope["method"] = parser.method
    scope["path"] = path
    scope["raw_path"] = raw_path
    scope["query_string"] = query
    scope["headers"] = parser.headers
    scope["state"] = scope["state"].copy()
    return scope


def _address(name: Any) -> tuple[str, int | None] | None:
    """A socket's address as the scope has it: host and port, or a path and None."""
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    return (name, None) if name else None
