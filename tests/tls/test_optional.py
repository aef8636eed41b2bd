"""client_auth optional, which only HTTP has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .tools import RIGHT, TlsClient, tls_environ


@pytest.fixture(scope="module")
def server(plugin: RenderedPlugin, certs: Path) -> Iterator[Served]:
    with serve(plugin, "http", "--tls", **tls_environ(certs, client_auth="optional")) as served:
        yield served


@pytest.mark.parametrize(("pair", "identity"), [(None, None), (RIGHT, "mcp-gateway")])
def test_let_in(server: Served, client: TlsClient, pair: str | None, identity: str | None) -> None:
    report = client.call(server.endpoints["https"], pair)
    assert (report.error, report.identity) == (None, identity)


@pytest.mark.parametrize("pair", ["client-other", "client-expired"])
def test_a_wrong_certificate_is_worse_than_none(server: Served, client: TlsClient, pair: str) -> None:
    assert client.call(server.endpoints["https"], pair).error is not None
