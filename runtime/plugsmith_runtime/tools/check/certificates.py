"""The certificates: those that the transports would serve with, and those in the usual folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ...errors import StartError
from ...plugin_server.settings import ServerSettings
from ...tls.check import check_tls
from ...tls.layout import DEFAULT_FOLDER, CertificateLayout
from ...tls.settings import TlsSettings
from . import Finding, problem

_RENEW = "make certs-mcp-all renews it; the running server takes it without a restart"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_certificates(settings: ServerSettings) -> Iterator[Finding]:
    """Check what TLS needs, as the server does when it starts.

    Args:
        settings: which transports serve with TLS, and with which files.
    """
    if "http" in settings.transports:
        yield from _transport("http", settings.http.tls, settings.http.host, settings.http.uds)
    if "grpc" in settings.transports:
        yield from _transport("grpc", settings.grpc.tls, settings.grpc.host, settings.grpc.uds)
    folder = CertificateLayout(Path(DEFAULT_FOLDER))
    if folder.root.is_dir():
        yield from _folder(folder)


def _transport(name: Literal["http", "grpc"], tls: TlsSettings | None, host: str, uds: str | None) -> Iterator[Finding]:
    if tls is None:
        if not uds and host not in _LOOPBACK:
            text = f"{name} listens on {host} without TLS: whoever reaches it can call the plugin"
            yield Finding("certificates", "note", text, "serve with TLS=1 after make certs-mcp-all")
        return
    try:
        check_tls(tls, name, uds)
    except StartError as error:
        yield problem("certificates", error)
    else:
        clients = {"none": "any client", "optional": "any client"}.get(tls.client_auth, "clients with a certificate")
        yield Finding("certificates", "ok", f"{name} serves with {tls.certfile}, for {clients}")


def _folder(folder: CertificateLayout) -> Iterator[Finding]:
    try:
        from ..certs.inspection import days_left, inspect_all
    except ImportError:
        yield Finding("certificates", "note", f"{folder.root} was not looked at", "make certs-mcp-check looks at it")
        return
    for found in inspect_all(folder, None, None, None):
        file = found.paths.certificate
        if found.problems:
            yield Finding("certificates", "problem", f"{file}: {'; '.join(found.problems)}", _RENEW)
        elif found.certificate:
            yield Finding("certificates", "ok", f"{file}: {days_left(found.certificate):.0f} days left")
