"""Certificates that are renewed on disk are used without a restart of the gateway."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.rendering import ALL_HOOKS, RenderedPlugin, rendered_plugin
from tests.support.serving import run, serve
from tests.support.waiting import wait_until
from tests.tls.tools import tls_environ

from .conftest import NEWEST
from .gateways import gateway

SLUG = "word-guard"


@pytest.fixture(scope="module")
def secure(shared_folder: Path) -> RenderedPlugin:
    """A rendered plugin that can make certificates."""
    return rendered_plugin(shared_folder / "word-guard", "grpc", "certs", plugin_name="Word Guard", hooks=ALL_HOOKS)


def make(plugin: RenderedPlugin, folder: Path) -> None:
    """Make an authority, and certificates for gateway and plugin."""
    done = run(plugin, "certs", "all", "--dir", str(folder))
    assert done.returncode == 0, done.stderr


def replace(folder: Path, newer: Path) -> None:
    """Put other files in the place of those of a folder, each at once."""
    for source in newer.rglob("*"):
        if source.is_file():
            target = folder / source.relative_to(newer)
            shutil.copy2(source, f"{target}.new")
            os.replace(f"{target}.new", target)


@pytest.mark.parametrize("scheme", ["grpcs", "https"])
def test_an_authority_is_exchanged(secure: RenderedPlugin, tmp_path: Path, scheme: str) -> None:
    certs = tmp_path / "certs"
    make(secure, certs)
    make(secure, tmp_path / "newer")
    own = certs / "gateway"
    tls = {"ca_bundle": f"{own}/ca.crt", "certfile": f"{own}/client.crt", "keyfile": f"{own}/client.key"}
    environ = tls_environ(certs, f"plugins/{SLUG}/server")
    # No file of a socket, which carries no TLS.
    options = ["--tls", "--grpc-uds", ""]
    with gateway(NEWEST, secure) as side:
        with serve(secure, "http,grpc", *options, **environ) as served:
            endpoint = served.endpoints[scheme]
            side.open(endpoint, tls=tls)
            assert side.search("hello")["continue_processing"] is True
            replace(certs, tmp_path / "newer")
            wait_until(lambda: side.said(f"connected to {endpoint} with the renewed certificates"))
            assert side.search("hello")["continue_processing"] is True
            assert not side.said("no connection")
            ports = ["--port", endpoint.split(":")[2].split("/")[0]] if scheme == "https" else []
            ports += ["--grpc-port", endpoint.rpartition(":")[2]] if scheme == "grpcs" else []
        # A server that knows nothing of the former authority.
        with serve(secure, "http,grpc", *options, *ports, **environ):
            assert side.search("hello")["continue_processing"] is True


@pytest.mark.parametrize("scheme", ["grpcs", "https"])
def test_a_server_of_another_authority_is_not_asked(secure: RenderedPlugin, tmp_path: Path, scheme: str) -> None:
    make(secure, tmp_path / "certs")
    make(secure, tmp_path / "other")
    own = tmp_path / "other" / "gateway"
    tls = {"ca_bundle": f"{own}/ca.crt", "certfile": f"{own}/client.crt", "keyfile": f"{own}/client.key"}
    environ = tls_environ(tmp_path / "certs", f"plugins/{SLUG}/server")
    with (
        serve(secure, "http,grpc", "--tls", "--grpc-uds", "", **environ) as served,
        gateway(NEWEST, secure) as side,
    ):
        side.open(served.endpoints[scheme], tls=tls)
        assert side.search("hello")["violation"]["code"] == "PLUGIN_UNREACHABLE"
