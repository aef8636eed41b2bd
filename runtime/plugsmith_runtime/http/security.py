"""Checks of a request's headers: token, media types, and protection against DNS rebinding."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from .responses import HttpError, Scope

ACCEPT = b"accept"
AUTHORIZATION = b"authorization"
CONTENT_ENCODING = b"content-encoding"
CONTENT_LENGTH = b"content-length"
CONTENT_TYPE = b"content-type"
HOST = b"host"
METHOD = b"mcp-method"
NAME = b"mcp-name"
ORIGIN = b"origin"
TOKEN = b"x-plugin-token"
TRACEPARENT = b"traceparent"
TRACESTATE = b"tracestate"
VERSION = b"mcp-protocol-version"

_WANTED = frozenset(
    (
        *(ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, METHOD, NAME, ORIGIN, VERSION),
        *(AUTHORIZATION, TOKEN, TRACEPARENT, TRACESTATE),
    )
)
# Lists, of which the parts may stand in headers of their own.
_LISTS = frozenset((ACCEPT, TRACESTATE))

Headers = dict[bytes, bytes]


def wanted_headers(scope: Scope) -> Headers:
    """Collect the headers that matter here.

    Raises:
        HttpError: a header that may stand once stands twice, so that two readers could disagree about it.
    """
    found: Headers = {}
    for name, value in scope["headers"]:
        if name in _WANTED:
            if name in found:
                if name not in _LISTS:
                    raise HttpError(400, f"header {name.decode()} stands more than once")
                value = found[name] + b"," + value
            found[name] = value
    return found


def trace(headers: Headers) -> dict[str, str]:
    """The caller's trace (W3C Trace Context), as far as it says one."""
    return {key.decode(): headers[key].decode("latin-1") for key in (TRACEPARENT, TRACESTATE) if key in headers}


def check_token(headers: Headers, token: bytes) -> None:
    """Check that the caller shows the token, in a header of its own or as a bearer's.

    Raises:
        HttpError: with status 401.
    """
    shown = headers.get(TOKEN)
    if shown is None:
        scheme, _, shown = headers.get(AUTHORIZATION, b"").partition(b" ")
        shown = shown.strip() if scheme.lower() == b"bearer" else b""
    if not hmac.compare_digest(shown, token):
        text = "the header X-Plugin-Token is missing or holds another token (PLUGINS_SERVER_TOKEN)"
        raise HttpError(401, text, (b"www-authenticate", b"Bearer"))


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


def check_loopback(headers: Headers, setting: str = "PLUGINS_SERVER_HOST") -> None:
    """Refuse what a web page can make a browser send to a server on this machine (DNS rebinding).

    Args:
        headers: the request's headers.
        setting: says where the server listens, for the error's text.

    Raises:
        HttpError: Host is not a name of this machine, or Origin is of another one.
    """
    if not _is_loopback(headers.get(HOST, b"")):
        raise HttpError(421, f"Host is not this machine; the server is for this machine only ({setting})")
    check_origin(headers, _is_loopback)


def check_same_origin(headers: Headers) -> None:
    """Refuse requests of web pages that do not come from this server.

    Raises:
        HttpError: Origin and Host name different servers.
    """
    check_origin(headers, lambda netloc: netloc == headers.get(HOST, b"").lower())


def origin_check(host: str) -> Callable[[Headers], None]:
    """The check for a server that listens at an address or name."""
    return check_loopback if is_loopback_name(host) else check_same_origin


def check_origin(headers: Headers, is_allowed: Any) -> None:
    """Check the Origin header, which only browsers send.

    Args:
        headers: the request's headers.
        is_allowed: judges the origin's host and port.

    Raises:
        HttpError: the origin is not allowed.
    """
    origin = headers.get(ORIGIN)
    if origin is None:
        return
    scheme, separator, netloc = origin.lower().partition(b"://")
    if scheme not in (b"http", b"https") or not separator or not is_allowed(netloc):
        raise HttpError(403, "Origin is not allowed: web pages of other servers must not call plugins")


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
