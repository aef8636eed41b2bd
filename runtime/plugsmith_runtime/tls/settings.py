"""What can be set about TLS, the same for every network transport."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import StartError

ClientAuth = Literal["none", "optional", "require"]

CLIENT_AUTH_BY_CERT_REQS: dict[int, ClientAuth] = {0: "none", 1: "optional", 2: "require"}
"""The words for the numbers of PLUGINS_SERVER_SSL_CERT_REQS."""


@dataclass(frozen=True)
class TlsSettings:
    """The TLS side of one transport.

    Attributes:
        certfile: PEM file with the server's certificate, intermediates after it.
        keyfile: PEM file with its private key.
        keyfile_password: the key's password; None when the key is not encrypted.
        ca_bundle: PEM file with the authorities that may sign client certificates.
        client_auth: whether a client must show a certificate.
        allowed_clients: names of the clients that are let in; empty lets in every verified one.
    """

    certfile: str
    keyfile: str
    keyfile_password: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    client_auth: ClientAuth = "require"
    allowed_clients: tuple[str, ...] = ()


def client_auth_value(text: str, where: str) -> ClientAuth:
    """Read a client_auth word or the number of PLUGINS_SERVER_SSL_CERT_REQS.

    Args:
        text: the word or number as it was set.
        where: the name of the setting, for the error.

    Raises:
        StartError: it is none of them.
    """
    word = text.strip().lower()
    for value in get_args(ClientAuth):
        if word == value:
            return value  # type: ignore[no-any-return]
    if word.isdigit() and int(word) in CLIENT_AUTH_BY_CERT_REQS:
        return CLIENT_AUTH_BY_CERT_REQS[int(word)]
    raise StartError(f"{where} is {text!r}: set it to none, optional or require (0, 1 or 2)")
