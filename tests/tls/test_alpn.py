"""gRPC over TLS is for clients that ask for HTTP/2: others would be misunderstood."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.logs import logged
from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve

from .tools import tls_environ

LIMIT = 20.0


@pytest.mark.parametrize(("offered", "spoken"), [(["h2"], True), (["http/1.1", "h2"], True), ([], False)])
def test_the_protocol_that_is_asked_for(plugin: RenderedPlugin, certs: Path, offered: list[str], spoken: bool) -> None:
    with serve(plugin, "grpc", "--grpc-uds", "", **tls_environ(certs, client_auth="none", ca_certs="")) as served:
        place = urlsplit(served.endpoints["grpcs"])
        context = ssl.create_default_context(cafile=str(certs / "ca" / "ca.crt"))
        context.check_hostname = False
        if offered:
            context.set_alpn_protocols(offered)
        with (
            socket.create_connection((place.hostname, place.port or 0), LIMIT) as plain,
            context.wrap_socket(plain) as client,
        ):
            try:
                received = client.recv(9)
            except ConnectionResetError:
                received = b""
        # The first thing that a server of HTTP/2 sends are its settings.
        assert (received[3:4] == b"\4") is spoken
        assert spoken or logged(served, "a TLS client is refused: it does not ask for HTTP/2 (ALPN h2)")


def test_a_client_that_does_not_finish_its_handshake(plugin: RenderedPlugin, certs: Path) -> None:
    environ = tls_environ(certs, client_auth="none", ca_certs="") | {"PLUGINS_READ_TIMEOUT": "0.5"}
    with serve(plugin, "grpc", "--grpc-uds", "", **environ) as served:
        place = urlsplit(served.endpoints["grpcs"])
        client = socket.create_connection((place.hostname, place.port or 0), LIMIT)
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""
