"""client_auth optional, which only HTTP has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, serve

from .tools import RIGHT, Peer, tls_environ


@pytest.fixture(scope="module")
def server(plugin: RenderedPlugin, certs: Path) -> Iterator[Served]:
    with serve(plugin, "http", "--tls", **tls_environ(certs, client_auth="optional")) as served:
        yield served


@pytest.mark.parametrize(("pair", "identity"), [(None, None), (RIGHT, "mcp-gateway")])
def test_let_in(server: Served, peer: Peer, pair: str | None, identity: str | None) -> None:
    heard = peer.call(server.endpoints["https"], pair)
    assert (heard.error, heard.identity) == (None, identity)


@pytest.mark.parametrize("pair", ["client-other", "client-expired"])
def test_a_wrong_certificate_is_worse_than_none(server: Served, peer: Peer, pair: str) -> None:
    assert peer.call(server.endpoints["https"], pair).error is not None
