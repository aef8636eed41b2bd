"""Throw-away certificates for tests of TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...client import ClientTls
from ...errors import StartError
from ...tls.layout import CertificateLayout, KeyPairPaths
from ...tls.settings import TlsSettings

# Servers warn about a certificate that is soon to expire.
_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority, a server's certificate for this machine, and a client's.

    Attributes:
        server: where the server's files are.
        client: where the client's files are.
    """

    server: KeyPairPaths
    client: KeyPairPaths

    @property
    def server_tls(self) -> TlsSettings:
        """Settings of a server that asks its clients for a certificate of the authority."""
        return TlsSettings(str(self.server.certificate), str(self.server.key), ca_bundle=str(self.server.ca))

    @property
    def client_tls(self) -> ClientTls:
        """What a client needs that may call such a server."""
        return ClientTls(str(self.client.ca), str(self.client.certificate), str(self.client.key))

    @property
    def stranger_tls(self) -> ClientTls:
        """What a client has that trusts the server, and has no certificate of its own."""
        return ClientTls(str(self.client.ca))


def throwaway_certificates(folder: Path) -> Certificates:
    """Make certificates that hold for a month.

    Args:
        folder: where to make them.

    Raises:
        StartError: the package cryptography is missing.
    """
    try:
        from ..certs.manager import CertificateManager
    except ImportError:
        raise StartError("making certificates needs the package cryptography: install the extra 'certs'") from None
    places = CertificateLayout(folder)
    maker = CertificateManager(places)
    maker.ensure_ca(_DAYS)
    server = places.plugin("plugin")
    for place in (places.gateway, server):
        maker.ensure_leaf(place, _DAYS, hosts=[])
    return Certificates(server, places.gateway)
