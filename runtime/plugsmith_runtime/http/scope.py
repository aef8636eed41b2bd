"""ASGI HTTP connection scope (ASGI 3, HTTP specification 2.3): what an application is told of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import httptools

from .parser import RequestParser

_ASGI = {"version": "3.0", "spec_version": "2.3"}


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
        from .client_certificates import add_identities

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
