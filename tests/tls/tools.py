"""What the tests of TLS share: settings, and a client in a process of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.rendering import RenderedPlugin
from tests.support.serving import environ

PREFIXES = {"http": "PLUGINS_SERVER_SSL_", "grpc": "PLUGINS_GRPC_SERVER_SSL_"}
SCHEMES = {"http": "https", "grpc": "grpcs"}
TRANSPORTS = list(PREFIXES)

RIGHT = "gateway/client"
SERVER = "plugins/pii-guard/server"
LIMIT = 60.0


def tls_environ(certs: Path, server: str = SERVER, **settings: str) -> dict[str, str]:
    """The environment that switches mutual TLS on for HTTP and gRPC.

    Args:
        certs: the folder of the certificates.
        server: the server's pair in it, without suffix.
        settings: further settings in lower case, for example client_auth; an empty one is left out.
    """
    chosen = {
        "enabled": "true",
        "certfile": str(certs / f"{server}.crt"),
        "keyfile": str(certs / f"{server}.key"),
        "ca_certs": str(certs / "ca" / "ca.crt"),
    } | settings
    return {prefix + name.upper(): text for prefix in PREFIXES.values() for name, text in chosen.items() if text}


@dataclass(frozen=True)
class CallReport:
    """Report of a client.

    Attributes:
        calls: number of calls.
        failures: errors of the calls that failed.
        identity: the client's name as the hook saw it.
        error: the last error.
        serials: serial numbers of the server's certificates (HTTP only).
    """

    calls: int
    identity: str | None
    error: str | None
    failures: list[str] = field(default_factory=list)
    serials: list[str] = field(default_factory=list)


class TlsClient:
    """TLS client in a process of its own.

    Args:
        plugin: the plugin.
        certs: the folder of the certificates.
    """

    def __init__(self, plugin: RenderedPlugin, certs: Path) -> None:
        self._plugin = plugin
        self._certs = certs

    def start(self, endpoint: str, pair: str | None = RIGHT, **wanted: Any) -> subprocess.Popen[str]:
        """Start calling; see client_script.py for the options."""
        asked = {
            "endpoint": endpoint,
            "package": self._plugin.package,
            "ca": str(self._certs / "ca" / "ca.crt"),
        } | wanted
        if pair:
            asked |= {"cert": str(self._certs / f"{pair}.crt"), "key": str(self._certs / f"{pair}.key")}
        command = [str(self._plugin.python), str(Path(__file__).with_name("client_script.py")), json.dumps(asked)]
        return subprocess.Popen(
            command, env=environ(self._plugin), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def call(self, endpoint: str, pair: str | None = RIGHT, **wanted: Any) -> CallReport:
        """Call once, on a connection of its own.

        Args:
            endpoint: the server.
            pair: the client's certificate in the folder, without suffix; None for no certificate.
            wanted: see client_script.py.
        """
        return read_report(self.start(endpoint, pair, **wanted))


def read_report(process: subprocess.Popen[str]) -> CallReport:
    """Wait for a client's report."""
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    return CallReport(**json.loads(out))
