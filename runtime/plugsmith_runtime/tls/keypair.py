"""A certificate and its key: do they load, belong together, and hold for a server today?

All questions are put to the ssl module: a handshake with itself in memory, in which the client trusts only this
certificate, finds what a real client would refuse, so that serving needs no other library.
"""

from __future__ import annotations

import ssl
from typing import Any

from ..errors import PlugsmithError, StartError

_EXPIRED, _NOT_YET_VALID, _WRONG_PURPOSE = 10, 9, 26  # X509_V_ERR_* of OpenSSL


class _NoPasswordError(PlugsmithError):
    pass


class _Password:
    """Answers OpenSSL's question for the key's password, which it would otherwise ask on the terminal."""

    def __init__(self, password: str | None) -> None:
        self._password = password
        self.asked = False

    def __call__(self) -> str:
        self.asked = True
        if self._password is None:
            raise _NoPasswordError
        return self._password


def load_pair(context: ssl.SSLContext, certfile: str, keyfile: str, password: str | None) -> None:
    """Load a certificate and its key into a context.

    Raises:
        StartError: a file cannot be read or parsed, the password is wrong or missing, or the two do not match.
    """
    _must_hold(certfile, b"-----BEGIN CERTIFICATE-----", "TLS certificate", "a certificate")
    _must_hold(keyfile, b"PRIVATE KEY-----", "TLS key", "a private key")
    answer = _Password(password)
    try:
        context.load_cert_chain(certfile, keyfile, password=answer)
    except _NoPasswordError:
        raise StartError(f"TLS key file {keyfile} is encrypted: set keyfile_password") from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = f"TLS key file {keyfile} does not belong to the certificate {certfile}: give a matching pair"
        elif answer.asked:
            problem = f"TLS key file {keyfile} cannot be decrypted: keyfile_password is wrong, or the file is damaged"
        elif error.reason:
            problem = f"TLS certificate file {certfile} is refused ({_words(error)}): make a stronger pair"
        elif _parses(certfile):
            problem = f"TLS key file {keyfile} cannot be parsed: give an intact PEM file for the key type of {certfile}"
        else:
            problem = f"TLS certificate file {certfile} cannot be parsed: give an intact PEM file"
        raise StartError(problem) from None


def check_server_pair(certfile: str, keyfile: str, password: str | None) -> dict[str, Any]:
    """Check that a server can be reached with this certificate and key today.

    Returns:
        The certificate in the form of `SSLSocket.getpeercert`.

    Raises:
        StartError: what `load_pair` raises, and a certificate that is expired, not yet valid, or not for servers.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_pair(server, certfile, keyfile, password)
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
            _WRONG_PURPOSE: ("is not for servers", "its extendedKeyUsage must hold serverAuth"),
        }.get(error.verify_code, (f"is refused: {error.verify_message}", "make it anew"))
        raise StartError(f"TLS certificate file {certfile} {reason}: {remedy}") from None
    except ssl.SSLError as error:
        raise StartError(f"TLS certificate file {certfile} is refused ({_words(error)}): make it anew") from None


def read_file(path: str, what: str) -> bytes:
    """Read a whole file.

    Raises:
        StartError: it cannot be read; `what` names its role.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise StartError(f"{what} file {path} does not exist: give the right path, or make it with `certs`") from None
    except OSError as error:
        raise StartError(f"{what} file {path} cannot be read ({error.strerror}): give this user access to it") from None


def _must_hold(path: str, mark: bytes, what: str, content: str) -> None:
    if mark not in read_file(path, what):
        raise StartError(f"{what} file {path} does not hold {content} in PEM form: give the right file")


def _parses(certfile: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=certfile)
    except ssl.SSLError:
        return False
    return True


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, Any]:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    pending = [near, far]
    while pending:
        for end in list(pending):
            try:
                end.do_handshake()
                pending.remove(end)
            except ssl.SSLWantReadError:
                continue
    return near.getpeercert() or {}
