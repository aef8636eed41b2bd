"""Request parser: httptools with a limit for headers, and without upgrades to other protocols."""

from __future__ import annotations

from typing import Protocol

import httptools

from ..errors import DecodeError
from .responses import Header


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
