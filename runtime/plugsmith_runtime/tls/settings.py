"""TLS settings, the same for every network transport."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ClientAuth = Literal["none", "optional", "require"]

# The numbers of the ssl module's VerifyMode, which the gateways use for HTTP.
_CLIENT_AUTH_NUMBERS: dict[ClientAuth, str] = {"none": "0", "optional": "1", "require": "2"}


@dataclass(frozen=True)
class TlsSettings:
    """TLS settings of one transport.

    Attributes:
        certfile: PEM file with the server's certificate, followed by intermediates.
        keyfile: PEM file with the private key.
        keyfile_password: password of the key; None when the key is not encrypted.
        ca_bundle: PEM file with the authorities that may sign client certificates.
        client_auth: whether a client must show a certificate.
        allowed_clients: names of the clients that may call; empty admits every verified client.
    """

    certfile: str
    keyfile: str
    keyfile_password: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    client_auth: ClientAuth = "require"
    allowed_clients: tuple[str, ...] = ()


def parse_client_auth(value: object) -> ClientAuth:
    """Parse a client_auth word, or a number of PLUGINS_SERVER_SSL_CERT_REQS.

    Args:
        value: the word or number as it was set.

    Raises:
        ValueError: the value is neither.
    """
    word = str(value).strip().lower()
    for name, number in _CLIENT_AUTH_NUMBERS.items():
        if word in (name, number):
            return name
    raise ValueError("set it to none, optional or require (0, 1 or 2)")
