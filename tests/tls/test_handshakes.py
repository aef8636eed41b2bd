"""Who is let in, and whom a client refuses: over HTTP and over gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logs import logged
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .tools import RIGHT, SCHEMES, SERVER, TRANSPORTS, Peer, tls_environ

# A server's event loop may close a refused connection before the alert that says why.
REFUSED = {
    "http": ("SSL", "ConnectionResetError", "BrokenPipeError", "RemoteDisconnected"),
    "grpc": ("OSError: UNAVAILABLE",),
}

pytestmark = pytest.mark.parametrize("transport", TRANSPORTS)


def test_right_client(server: Served, peer: Peer, transport: str) -> None:
    heard = peer.call(server.endpoints[SCHEMES[transport]])
    assert heard.error is None
    assert heard.identity == "mcp-gateway"
    assert any("TLS client mcp-gateway connected" in line for line in server.log)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_every_name_of_this_machine(server: Served, peer: Peer, transport: str, host: str) -> None:
    assert peer.call(server.endpoints[SCHEMES[transport]], host=host).error is None


@pytest.mark.parametrize(
    ("pair", "logged"),
    [
        (None, "TLS client refused: it showed no certificate"),
        ("client-other", "TLS client refused: "),
        (SERVER, "TLS client refused: unsuitable certificate purpose"),
        ("client-expired", "TLS client refused: certificate has expired"),
        ("client-future", "TLS client refused: certificate is not yet valid"),
    ],
)
def test_wrong_client(server: Served, peer: Peer, transport: str, pair: str | None, logged: str) -> None:
    before = len(server.log)
    heard = peer.call(server.endpoints[SCHEMES[transport]], pair)
    assert heard.error is not None
    assert heard.error.startswith(REFUSED[transport])
    assert heard.identity is None
    if transport == "http":
        assert any(logged in line for line in server.log[before:]), server.log
    assert peer.call(server.endpoints[SCHEMES[transport]], RIGHT).error is None


@pytest.mark.parametrize("pair", ["client-uri", "client-cn"])
def test_identity(server: Served, peer: Peer, transport: str, pair: str) -> None:
    identities = {"client-uri": "spiffe://example/gateway", "client-cn": "named by CN only"}
    assert peer.call(server.endpoints[SCHEMES[transport]], pair).identity == identities[pair]


def test_client_with_another_authority(server: Served, peer: Peer, certs: Path, transport: str) -> None:
    heard = peer.call(server.endpoints[SCHEMES[transport]], ca=str(certs / "other-ca.crt"))
    assert heard.error is not None
    assert heard.error.startswith(REFUSED[transport])


@pytest.mark.parametrize(("pair", "host"), [("server-name", "localhost"), ("server-ip", "127.0.0.1")])
def test_wrong_host(plugin: RenderedPlugin, peer: Peer, certs: Path, transport: str, pair: str, host: str) -> None:
    environ = tls_environ(certs, pair)
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        heard = peer.call(served.endpoints[SCHEMES[transport]], host=host)
    assert heard.error is not None
    assert heard.error.startswith(REFUSED[transport])


def test_plain_client(server: Served, peer: Peer, transport: str) -> None:
    endpoint = server.endpoints[SCHEMES[transport]]
    heard = peer.call(endpoint.replace(SCHEMES[transport], transport, 1))
    assert heard.error is not None
    assert peer.call(endpoint).error is None


def test_plain_server(plugin: RenderedPlugin, peer: Peer, transport: str) -> None:
    with serve(plugin, transport, "--grpc-uds", "") as served:
        endpoint = served.endpoints[transport]
        heard = peer.call(endpoint.replace(transport, SCHEMES[transport], 1))
        assert heard.error is not None
        assert heard.error.startswith(REFUSED[transport])
        assert peer.call(endpoint, None).error is None


def test_no_client_certificates(plugin: RenderedPlugin, peer: Peer, certs: Path, transport: str) -> None:
    environ = tls_environ(certs, client_auth="none", ca_certs="")
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        for pair in (None, "client-other"):
            heard = peer.call(served.endpoints[SCHEMES[transport]], pair)
            assert (heard.error, heard.identity) == (None, None)


def test_encrypted_key(plugin: RenderedPlugin, peer: Peer, certs: Path, transport: str) -> None:
    environ = tls_environ(certs, "server-encrypted", keyfile_password="right")
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        assert peer.call(served.endpoints[SCHEMES[transport]]).identity == "mcp-gateway"


def test_intermediates(plugin: RenderedPlugin, peer: Peer, certs: Path, transport: str) -> None:
    """Certificates of a company's authority: each side sends the intermediate, and trusts the root."""
    root = str(certs / "root.crt")
    with serve(plugin, transport, "--grpc-uds", "", **tls_environ(certs, "server-chain", ca_certs=root)) as served:
        assert peer.call(served.endpoints[SCHEMES[transport]], "client-chain", ca=root).error is None
        assert peer.call(served.endpoints[SCHEMES[transport]], RIGHT, ca=root).error is not None


def test_allow_list(plugin: RenderedPlugin, peer: Peer, certs: Path, transport: str) -> None:
    environ = tls_environ(certs, allowed_clients="other, SPIFFE://example/gateway, named by CN only")
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        endpoint = served.endpoints[SCHEMES[transport]]
        for pair in ("client-uri", "client-cn"):
            assert peer.call(endpoint, pair).error is None
        heard = peer.call(endpoint, RIGHT)
        denied = {"http": "OSError: status 403: ", "grpc": "OSError: PERMISSION_DENIED: "}[transport]
        assert heard.error == f"{denied}this client certificate is not in the server's allowed_clients"
        assert logged(served, "its names are not in allowed_clients: mcp-gateway")
