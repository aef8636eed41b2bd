"""Checks of requests: token, media types, client certificates, and protection against DNS rebinding."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ..tls.identity import STATE_KEY, ClientAllowList, client_identities, main_identity
from .responses import TEXT, AsgiApp, HttpError, Receive, Scope, Send, send_body

logger = logging.getLogger(__name__)

ACCEPT = b"accept"
AUTHORIZATION = b"authorization"
CONTENT_ENCODING = b"content-encoding"
CONTENT_LENGTH = b"content-length"
CONTENT_TYPE = b"content-type"
HOST = b"host"
ORIGIN = b"origin"
TRACEPARENT = b"traceparent"
TRACESTATE = b"tracestate"

CHECKED = frozenset((ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN))
"""The headers that the checks of this module read."""

TRACE_CONTEXT = frozenset((TRACEPARENT, TRACESTATE))
"""The headers of W3C Trace Context."""

# Lists, of which the parts may stand in headers of their own (RFC 9110, 5.3).
_LISTS = frozenset((ACCEPT, TRACESTATE))

Headers = dict[bytes, bytes]


def pick_headers(scope: Scope, wanted: Collection[bytes] = CHECKED) -> Headers:
    """Pick the headers that matter to an application.

    Args:
        scope: the ASGI scope of the request.
        wanted: their names, in lower case.

    Raises:
        HttpError: a header that may stand once stands twice, so that two readers could disagree about it.
    """
    found: Headers = {}
    for name, value in scope["headers"]:
        if name in wanted:
            if name in found:
                if name not in _LISTS:
                    raise HttpError(400, f"header {name.decode()} stands more than once")
                value = found[name] + b"," + value
            found[name] = value
    return found


def trace_context(headers: Headers) -> dict[str, str]:
    """The caller's trace (W3C Trace Context), as far as it says one."""
    return {key.decode(): headers[key].decode("latin-1") for key in (TRACEPARENT, TRACESTATE) if key in headers}


class TokenCheck:
    """Check that the caller shows a token, in a header of its own or as a bearer's (RFC 6750).

    Args:
        token: the token.
        header: the header's name, as people write it.
        setting: the name of the token's setting, for the error's text.
    """

    def __init__(self, token: str, header: str, setting: str) -> None:
        self._token = token.encode()
        self._header = header.lower().encode()
        self._text = f"the header {header} is missing or holds another token ({setting})"

    def __call__(self, headers: Headers) -> None:
        """Check a request.

        Raises:
            HttpError: with status 401.
        """
        shown = headers.get(self._header)
        if shown is None:
            scheme, _, shown = headers.get(AUTHORIZATION, b"").partition(b" ")
            shown = shown.strip() if scheme.lower() == b"bearer" else b""
        if not hmac.compare_digest(shown, self._token):
            raise HttpError(401, self._text, (b"www-authenticate", b"Bearer"))


def check_media_types(headers: Headers) -> None:
    """Check that the body is JSON and that the client takes JSON.

    Raises:
        HttpError: with status 415 or 406.
    """
    if not _is_json(headers.get(CONTENT_TYPE, b"")):
        raise HttpError(415, "Content-Type must be application/json, in UTF-8")
    if headers.get(CONTENT_ENCODING, b"identity") != b"identity":
        raise HttpError(415, "Content-Encoding is not supported: send the body uncompressed")
    if not _takes_json(headers.get(ACCEPT, b"*/*")):
        raise HttpError(406, "Accept must include application/json")


@lru_cache(maxsize=256)
def _is_json(content_type: bytes) -> bool:
    media_type, _, parameters = content_type.lower().partition(b";")
    charset = parameters.partition(b"charset=")[2].partition(b";")[0].strip(b' "')
    return media_type.strip() == b"application/json" and charset in (b"", b"utf-8", b"utf8")


@lru_cache(maxsize=256)
def _takes_json(accept: bytes) -> bool:
    for choice in accept.lower().split(b","):
        media_type, _, parameters = choice.partition(b";")
        if media_type.strip() in (b"application/json", b"application/*", b"*/*"):
            return parameters.replace(b" ", b"") not in (b"q=0", b"q=0.0")
    return False


class OriginCheck:
    """Refuse what a web page can make a browser send to a server (DNS rebinding, cross-site requests).

    On a server that listens on this machine only, Host must be a name of this machine, and Origin too. Elsewhere,
    Origin must be the server itself.

    Args:
        address: the address or name at which the server listens.
        setting: the name of that setting, for the error's text.
        callee: what web pages would call, for the error's text.
    """

    def __init__(self, address: str, setting: str, callee: str = "this server") -> None:
        self._local = is_loopback_name(address)
        self._host_text = f"Host is not this machine; the server is for this machine only ({setting})"
        self._origin_text = f"Origin is not allowed: web pages of other servers must not call {callee}"

    def __call__(self, headers: Headers) -> None:
        """Check a request.

        Raises:
            HttpError: Host is not a name of this machine (421), or Origin is of another one (403).
        """
        host = headers.get(HOST, b"")
        if self._local and not _is_loopback(host):
            raise HttpError(421, self._host_text)
        # Only browsers send it.
        origin = headers.get(ORIGIN)
        if origin is None:
            return
        scheme, separator, netloc = origin.lower().partition(b"://")
        allowed = _is_loopback(netloc) if self._local else netloc == host.lower()
        if scheme not in (b"http", b"https") or not separator or not allowed:
            raise HttpError(403, self._origin_text)


@lru_cache(maxsize=256)
def _is_loopback(netloc: bytes) -> bool:
    try:
        name = urlsplit(f"//{netloc.decode('ascii')}").hostname or ""
        return is_loopback_name(name)
    except ValueError:
        return False


def is_loopback_name(name: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def add_identities(state: dict[str, Any], transport: asyncio.BaseTransport) -> None:
    """Add the client's verified names to the `state` of an ASGI scope.

    They stand there as `tls_identities`, a tuple that is empty when the client showed no certificate.
    """
    names = client_identities(transport.get_extra_info("peercert"))
    state[STATE_KEY] = names
    logger.info("TLS client %s connected from %s", main_identity(names), transport.get_extra_info("peername"))


class AllowList:
    """An ASGI application that lets only the named clients through to another one.

    Args:
        app: the application that is guarded.
        allowed: the names that are let in.
    """

    def __init__(self, app: AsgiApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = ClientAllowList(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = scope.get("state", {}).get(STATE_KEY, ())
        if scope["type"] == "lifespan" or self._allowed.admits(names):
            await self._app(scope, receive, send)
            return
        await send_body(send, 403, TEXT, b"this client certificate is not in the server's allowed_clients\n")
