"""Throw-away certificates for tests of TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..client import ClientTls
from ..errors import StartError
from ..tls.layout import CertificateLayout, KeyPairPaths
from ..tls.settings import TlsSettings

# Long enough that servers do not warn about the expiry.
_LIFETIME_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates of one authority: of a server on this machine, and of a client.

    Attributes:
        server: files of the server.
        client: files of the client.
    """

    server: KeyPairPaths
    client: KeyPairPaths

    @property
    def server_tls(self) -> TlsSettings:
        """TLS settings of a server that requires client certificates."""
        return TlsSettings(str(self.server.certificate), str(self.server.key), ca_bundle=str(self.server.ca))

    @property
    def client_tls(self) -> ClientTls:
        """Certificates of a client that may call such a server."""
        return ClientTls(str(self.client.ca), str(self.client.certificate), str(self.client.key))

    @property
    def stranger_tls(self) -> ClientTls:
        """Certificates of a client that trusts the server, but has no certificate of its own."""
        return ClientTls(str(self.client.ca))


def throwaway_certificates(folder: Path) -> Certificates:
    """Make certificates that are valid for a month.

    Args:
        folder: the folder for the files.

    Raises:
        StartError: the package cryptography is missing.
    """
    try:
        from ..tools.certs.manager import CertificateManager
    except ImportError:
        raise StartError("making certificates needs the package cryptography: install the extra 'certs'") from None
    layout = CertificateLayout(folder)
    manager = CertificateManager(layout)
    manager.ensure_ca(_LIFETIME_DAYS)
    server = layout.plugin("plugin")
    for paths in (layout.gateway, server):
        manager.ensure_leaf(paths, _LIFETIME_DAYS, hosts=[])
    return Certificates(server, layout.gateway)
