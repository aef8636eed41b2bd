"""Who is let in, and whom a client refuses: over HTTP and over gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logs import logged
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .tools import RIGHT, SCHEMES, SERVER, TRANSPORTS, TlsClient, tls_environ

# A server's event loop may close a refused connection before the alert that says why.
REFUSED = {
    "http": ("SSL", "ConnectionResetError", "BrokenPipeError", "RemoteDisconnected"),
    "grpc": ("OSError: UNAVAILABLE",),
}

pytestmark = pytest.mark.parametrize("transport", TRANSPORTS)


def test_right_client(server: Served, client: TlsClient, transport: str) -> None:
    report = client.call(server.endpoints[SCHEMES[transport]])
    assert report.error is None
    assert report.identity == "mcp-gateway"
    assert any("TLS client mcp-gateway connected" in line for line in server.log)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_every_name_of_this_machine(server: Served, client: TlsClient, transport: str, host: str) -> None:
    assert client.call(server.endpoints[SCHEMES[transport]], host=host).error is None


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
def test_wrong_client(server: Served, client: TlsClient, transport: str, pair: str | None, logged: str) -> None:
    before = len(server.log)
    report = client.call(server.endpoints[SCHEMES[transport]], pair)
    assert report.error is not None
    assert report.error.startswith(REFUSED[transport])
    assert report.identity is None
    if transport == "http":
        assert any(logged in line for line in server.log[before:]), server.log
    assert client.call(server.endpoints[SCHEMES[transport]], RIGHT).error is None


@pytest.mark.parametrize("pair", ["client-uri", "client-cn"])
def test_identity(server: Served, client: TlsClient, transport: str, pair: str) -> None:
    identities = {"client-uri": "spiffe://example/gateway", "client-cn": "named by CN only"}
    assert client.call(server.endpoints[SCHEMES[transport]], pair).identity == identities[pair]


def test_client_with_another_authority(server: Served, client: TlsClient, certs: Path, transport: str) -> None:
    report = client.call(server.endpoints[SCHEMES[transport]], ca=str(certs / "other-ca.crt"))
    assert report.error is not None
    assert report.error.startswith(REFUSED[transport])


@pytest.mark.parametrize(("pair", "host"), [("server-name", "localhost"), ("server-ip", "127.0.0.1")])
def test_wrong_host(
    plugin: RenderedPlugin, client: TlsClient, certs: Path, transport: str, pair: str, host: str
) -> None:
    environ = tls_environ(certs, pair)
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        report = client.call(served.endpoints[SCHEMES[transport]], host=host)
    assert report.error is not None
    assert report.error.startswith(REFUSED[transport])


def test_plain_client(server: Served, client: TlsClient, transport: str) -> None:
    endpoint = server.endpoints[SCHEMES[transport]]
    report = client.call(endpoint.replace(SCHEMES[transport], transport, 1))
    assert report.error is not None
    assert client.call(endpoint).error is None


def test_plain_server(plugin: RenderedPlugin, client: TlsClient, transport: str) -> None:
    with serve(plugin, transport, "--grpc-uds", "") as served:
        endpoint = served.endpoints[transport]
        report = client.call(endpoint.replace(transport, SCHEMES[transport], 1))
        assert report.error is not None
        assert report.error.startswith(REFUSED[transport])
        assert client.call(endpoint, None).error is None


def test_no_client_certificates(plugin: RenderedPlugin, client: TlsClient, certs: Path, transport: str) -> None:
    environ = tls_environ(certs, client_auth="none", ca_certs="")
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        for pair in (None, "client-other"):
            report = client.call(served.endpoints[SCHEMES[transport]], pair)
            assert (report.error, report.identity) == (None, None)


def test_encrypted_key(plugin: RenderedPlugin, client: TlsClient, certs: Path, transport: str) -> None:
    environ = tls_environ(certs, "server-encrypted", keyfile_password="right")
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        assert client.call(served.endpoints[SCHEMES[transport]]).identity == "mcp-gateway"


def test_intermediates(plugin: RenderedPlugin, client: TlsClient, certs: Path, transport: str) -> None:
    """Certificates of a company's authority: each side sends the intermediate, and trusts the root."""
    root = str(certs / "root.crt")
    with serve(plugin, transport, "--grpc-uds", "", **tls_environ(certs, "server-chain", ca_certs=root)) as served:
        assert client.call(served.endpoints[SCHEMES[transport]], "client-chain", ca=root).error is None
        assert client.call(served.endpoints[SCHEMES[transport]], RIGHT, ca=root).error is not None


def test_allow_list(plugin: RenderedPlugin, client: TlsClient, certs: Path, transport: str) -> None:
    environ = tls_environ(certs, allowed_clients="other, SPIFFE://example/gateway, named by CN only")
    with serve(plugin, transport, "--grpc-uds", "", "--tls", **environ) as served:
        endpoint = served.endpoints[SCHEMES[transport]]
        for pair in ("client-uri", "client-cn"):
            assert client.call(endpoint, pair).error is None
        report = client.call(endpoint, RIGHT)
        denied = {"http": "OSError: status 403: ", "grpc": "OSError: PERMISSION_DENIED: "}[transport]
        assert report.error == f"{denied}this client certificate is not in the server's allowed_clients"
        assert logged(served, "its names are not in allowed_clients: mcp-gateway")
