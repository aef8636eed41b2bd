"""Certificates that are renewed on disk are served at once, and no call fails meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, run, serve
from tests.support.waiting import wait_until

from .tools import SCHEMES, SERVER, TRANSPORTS, TlsClient, read_report, tls_environ

RENEWALS = 3
NAME = SERVER.split("/")[1]


@pytest.fixture
def own_certs(certs: Path, tmp_path: Path) -> Path:
    """A copy of the certificates that a test may renew."""
    return shutil.copytree(certs, tmp_path / "certs")


@pytest.fixture
def server(plugin: RenderedPlugin, own_certs: Path) -> Iterator[Served]:
    with serve(plugin, "http,grpc", "--grpc-uds", "", "--tls", **tls_environ(own_certs)) as served:
        yield served


def renew(plugin: RenderedPlugin, folder: Path, *options: str) -> None:
    done = run(plugin, "certs", "plugin", "--name", NAME, "--dir", str(folder), "--force", *options)
    assert done.returncode == 0, done.stderr


def test_under_load(plugin: RenderedPlugin, server: Served, own_certs: Path, client: TlsClient) -> None:
    callers = {name: client.start(server.endpoints[SCHEMES[name]], seconds=6) for name in TRANSPORTS}
    for _ in range(RENEWALS):
        renew(plugin, own_certs)
    reports = {name: read_report(process) for name, process in callers.items()}
    for name, report in reports.items():
        assert report.failures == [], name
        assert report.calls > 50, name
    assert len(reports["http"].serials) > 1
    # Both servers now hold the last one.
    for name in TRANSPORTS:
        assert client.call(server.endpoints[SCHEMES[name]]).error is None
    assert any("TLS files reloaded" in line for line in server.log)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_new_authority_shuts_out_what_the_old_one_signed(
    plugin: RenderedPlugin, server: Served, own_certs: Path, certs: Path, client: TlsClient, transport: str
) -> None:
    endpoint = server.endpoints[SCHEMES[transport]]
    new_ca = {"ca": str(own_certs / "ca" / "ca.crt")}
    done = run(plugin, "certs", "all", "--name", NAME, "--dir", str(own_certs), "--force")
    assert done.returncode == 0, done.stderr
    own = TlsClient(plugin, own_certs)
    assert own.call(endpoint).error is None
    assert client.call(endpoint, **new_ca).error is not None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bad_files_change_nothing(
    server: Served, own_certs: Path, certs: Path, client: TlsClient, transport: str
) -> None:
    endpoint = server.endpoints[SCHEMES[transport]]
    key = own_certs / f"{SERVER}.key"
    shutil.copy(certs / "client-cn.key", key)
    assert client.call(endpoint).error is None
    warnings = "TLS files changed but are not used, the former ones stay: TLS key file"
    wait_until(lambda: any(warnings in line for line in server.log), otherwise=lambda: "no warning")
    key.unlink()
    assert client.call(endpoint).error is None
