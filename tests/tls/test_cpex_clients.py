"""cpex 0.1.4's own clients, with the entry that `gateway-config --tls` prints and the files that `certs all` made."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, run

from .tools import SCHEMES, TRANSPORTS, tls_environ

LIMIT = 120.0
PORTS = {"http": "--port", "grpc": "--grpc-port"}


def entry(plugin: RenderedPlugin, server: Served, certs: Path, transport: str) -> dict[str, Any]:
    """The entry that `gateway-config` prints for a server."""
    port = str(urlsplit(server.endpoints[SCHEMES[transport]]).port)
    options = ["--transport", transport, PORTS[transport], port, "--client-dir", str(certs / "gateway")]
    done = run(plugin, "gateway-config", "--tls", *options, **tls_environ(certs))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["plugins"][0]
    return found


def call(plugin_entry: dict[str, Any]) -> Any:
    python = environment("cpex", ["cpex[grpc]==0.1.4"])
    driver = Path(__file__).with_name("cpex_driver.py")
    done = subprocess.run(
        [str(python), str(driver), json.dumps(plugin_entry)],
        env=os.environ | {"PLUGINS_SSRF_PROTECTION_ENABLED": "false", "PLUGINS_ENABLED": "true"},
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_mutual_tls(plugin: RenderedPlugin, server: Served, certs: Path, transport: str) -> None:
    made = entry(plugin, server, certs, transport)
    tls = made["mcp" if transport == "http" else "grpc"]["tls"]
    assert {name: Path(path).is_absolute() for name, path in tls.items() if name != "verify"} == {
        "ca_bundle": True,
        "certfile": True,
        "keyfile": True,
    }
    assert call(made) == {"identity": "mcp-gateway"}


def test_no_client_certificate(plugin: RenderedPlugin, server: Served, certs: Path) -> None:
    made = entry(plugin, server, certs, "grpc")
    del made["grpc"]["tls"]["certfile"], made["grpc"]["tls"]["keyfile"]
    assert "error" in call(made)
