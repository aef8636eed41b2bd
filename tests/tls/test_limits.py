"""The limits of HTTP hold under TLS too."""

from __future__ import annotations

import json
import socket
import ssl
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve

from .tools import LIMIT, RIGHT, tls_environ

HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def connect(endpoint: str, certs: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(certs / "ca" / "ca.crt"))
    context.load_cert_chain(certs / f"{RIGHT}.crt", certs / f"{RIGHT}.key")
    parts = urlsplit(endpoint)
    plain = socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT)
    return context.wrap_socket(plain, server_hostname="localhost")


def answer(connection: ssl.SSLSocket) -> tuple[int, Any]:
    response = HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (HEAD + b"X: " + b"x" * 5000, 431, "the headers are larger than 4096 bytes (PLUGINS_MAX_HEADER_BYTES)"),
        (HEAD, 408, "the headers did not arrive within 0.5 s (PLUGINS_READ_TIMEOUT)"),
        (HEAD + b"Content-Length: 9\r\n\r\n{", 408, "the body did not arrive within 0.5 s (PLUGINS_READ_TIMEOUT)"),
    ],
    ids=["headers", "header time", "body time"],
)
def test_requests(plugin: RenderedPlugin, certs: Path, sent: bytes, status: int, message: str) -> None:
    limits = {"PLUGINS_MAX_HEADER_BYTES": "4096", "PLUGINS_READ_TIMEOUT": "0.5"}
    with (
        serve(plugin, "http", "--tls", **tls_environ(certs), **limits) as served,
        connect(served.endpoints["https"], certs) as connection,
    ):
        connection.sendall(sent)
        assert answer(connection) == (status, {"error": message})


def test_connections(plugin: RenderedPlugin, certs: Path) -> None:
    with serve(plugin, "http", "--tls", **tls_environ(certs), PLUGINS_MAX_CONNECTIONS="1") as served:
        url = served.endpoints["https"]
        with connect(url, certs), connect(url, certs) as second:
            text = "1 connections are open (PLUGINS_MAX_CONNECTIONS); try again later"
            assert answer(second) == (503, {"error": text})


def test_a_handshake_that_is_not_made(plugin: RenderedPlugin, certs: Path) -> None:
    with serve(plugin, "http", "--tls", **tls_environ(certs), PLUGINS_READ_TIMEOUT="0.5") as served:
        parts = urlsplit(served.endpoints["https"])
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT) as connection:
            assert connection.recv(1) == b""
