"""Endpoints: where a server with given settings can be reached, and by which command it is started."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from ..client import ClientTls
from ..net.sockets import format_address
from ..tls.layout import DEFAULT_FOLDER, CertificateLayout
from ..tls.settings import TlsSettings
from .settings import ServerSettings

_LOOPBACK_OF_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def server_command(package: str, *options: str) -> list[str]:
    """The command line that serves a plugin in another process.

    Args:
        package: the plugin's package.
        options: options of `serve`.
    """
    return [sys.executable, "-m", package, "serve", *options]


def own_endpoint(settings: ServerSettings, transport: str, config: str | None = None) -> str:
    """The endpoint of a server that runs with these settings.

    Args:
        settings: the server's settings.
        transport: http, stdio, grpc or unix.
        config: the configuration file that a server started for stdio should read.
    """
    if transport == "http":
        if settings.http.uds:
            return f"http+unix://{settings.http.uds}"
        scheme = "https" if settings.http.tls else "http"
        return f"{scheme}://{reachable(settings.http.host, settings.http.port)}/mcp"
    if transport == "grpc":
        if not settings.grpc.listen_tcp:
            return f"grpc+unix://{settings.grpc.uds}"
        scheme = "grpcs" if settings.grpc.tls else "grpc"
        return f"{scheme}://{reachable(settings.grpc.host, settings.grpc.port)}"
    if transport == "unix":
        return f"unix://{settings.unix.path}"
    quiet = ["--log-level", "WARNING"]  # its log goes to the terminal of the one who calls
    options = [*quiet, "--config", config] if config else quiet
    command = server_command(settings.package, "--transport", "stdio", *options)
    return "stdio:" + shlex.join(command)


def reachable(host: str, port: int) -> str:
    """The host and port under which this machine reaches a server that listens on them, as they stand in a URL."""
    return format_address(_LOOPBACK_OF_ANY.get(host, host), port)


def client_tls(server: TlsSettings | None, certfile: str | None, keyfile: str | None) -> ClientTls | None:
    """Certificates to call a server with these TLS settings.

    Args:
        server: the server's TLS settings.
        certfile: file with the client's certificate; the gateway's own in the usual folder when None.
        keyfile: file with the client's key.
    """
    if server is None:
        return None
    gateway = CertificateLayout(Path(DEFAULT_FOLDER)).gateway
    if not certfile and server.client_auth != "none" and gateway.certificate.exists():
        certfile, keyfile = str(gateway.certificate), str(gateway.key)
    return ClientTls(ca_bundle=server.ca_bundle or server.certfile, certfile=certfile, keyfile=keyfile)
