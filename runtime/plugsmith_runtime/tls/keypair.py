"""Key pair of a server: loading a certificate with its private key, and checking both.

The check is a TLS handshake in memory, whose client trusts only this certificate: it finds what a real client would
refuse, and needs no library but the ssl module.
"""

from __future__ import annotations

import ssl
from typing import Any

from ..errors import PlugsmithError, StartError
from .files import read_file

# X509_V_ERR_* in openssl/x509_vfy.h
_NOT_YET_VALID, _EXPIRED, _INVALID_PURPOSE = 9, 10, 26


class _NoPasswordError(PlugsmithError):
    """An encrypted key without a password."""


class _Password:
    """Password callback for OpenSSL, which would otherwise ask on the terminal."""

    def __init__(self, password: str | None) -> None:
        self._password = password
        self.asked = False

    def __call__(self) -> str:
        self.asked = True
        if self._password is None:
            raise _NoPasswordError
        return self._password


def load_key_pair(context: ssl.SSLContext, certfile: str, keyfile: str, password: str | None) -> None:
    """Load a certificate and its private key into a context.

    Raises:
        StartError: a file cannot be read or parsed, the password is wrong or missing, or the two do not match.
    """
    _check_pem(certfile, b"-----BEGIN CERTIFICATE-----", "TLS certificate", "a certificate")
    _check_pem(keyfile, b"PRIVATE KEY-----", "TLS key", "a private key")
    callback = _Password(password)
    try:
        context.load_cert_chain(certfile, keyfile, password=callback)
    except _NoPasswordError:
        raise StartError(f"TLS key file {keyfile} is encrypted: set keyfile_password") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            text = f"TLS key file {keyfile} does not belong to the certificate {certfile}: give a matching pair"
        elif callback.asked:
            text = f"TLS key file {keyfile} cannot be decrypted: keyfile_password is wrong, or the file is damaged"
        elif error.reason:
            text = f"TLS certificate file {certfile} is refused ({_reason(error)}): make a stronger pair"
        elif _parses(certfile):
            text = f"TLS key file {keyfile} cannot be parsed: give an intact PEM file for the key type of {certfile}"
        else:
            text = f"TLS certificate file {certfile} cannot be parsed: give an intact PEM file"
        raise StartError(text) from None


def check_server_key_pair(certfile: str, keyfile: str, password: str | None) -> dict[str, Any]:
    """Check that clients accept a server with this certificate and key today.

    Returns:
        The certificate in the form of `SSLSocket.getpeercert`.

    Raises:
        StartError: what `load_key_pair` raises, or the certificate is expired, not yet valid, or not for servers.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_key_pair(server, certfile, keyfile, password)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(cafile=certfile)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        return _handshake(server, client)
    except ssl.SSLCertVerificationError as error:
        reason, remedy = {
            _EXPIRED: ("has expired", "renew it"),
            _NOT_YET_VALID: ("is not valid yet", "check this machine's clock, or make the certificate anew"),
            _INVALID_PURPOSE: ("is not for servers", "its extendedKeyUsage must hold serverAuth"),
        }.get(error.verify_code, (f"is refused: {error.verify_message}", "make it anew"))
        raise StartError(f"TLS certificate file {certfile} {reason}: {remedy}") from None
    except ssl.SSLError as error:
        raise StartError(f"TLS certificate file {certfile} is refused ({_reason(error)}): make it anew") from None


def _check_pem(path: str, label: bytes, role: str, content: str) -> None:
    if label not in read_file(path, role):
        raise StartError(f"{role} file {path} does not hold {content} in PEM form: give the right file")


def _parses(certfile: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=certfile)
    except ssl.SSLError:
        return False
    return True


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, Any]:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = client.wrap_bio(to_client, to_server)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    pending = [client_side, server_side]
    while pending:
        for side in list(pending):
            try:
                side.do_handshake()
                pending.remove(side)
            except ssl.SSLWantReadError:
                continue
    return client_side.getpeercert() or {}
