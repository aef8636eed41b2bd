"""SSL contexts of servers and clients."""

from __future__ import annotations

import logging
import ssl
from typing import Any, Literal

from ..errors import StartError
from .check import check_combination, check_files
from .files import Reloaded, read_file
from .keypair import load_key_pair
from .settings import ClientAuth, TlsSettings

logger = logging.getLogger(__name__)

_VERIFY_MODES: dict[ClientAuth, ssl.VerifyMode] = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "require": ssl.CERT_REQUIRED,
}

# RFC 7301 and the IANA registry of ALPN protocol IDs.
_ALPN_PROTOCOLS = {"http": "http/1.1", "grpc": "h2"}


class _LoggingSSLObject(ssl.SSLObject):
    """SSL object that logs why a handshake failed: asyncio drops such connections in silence."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLCertVerificationError as error:
            logger.warning("TLS client refused: %s", error.verify_message)
            raise
        except ssl.SSLError as error:
            if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
                logger.warning("TLS client refused: it showed no certificate")
            else:
                logger.info("TLS handshake failed: %s", error.reason or error)
            raise


class ReloadingContext(ssl.SSLContext):
    """Server context that gives every new connection the certificate, key and CA bundle that are on disk.

    Loading the files into the same context again is not enough: it would still trust an authority that was taken out
    of the bundle, and would fail between the two halves of a renewed pair. So each state of the files gets a context
    of its own, and this one, which stays empty, delegates to it.
    """

    def __new__(cls, settings: TlsSettings, alpn_protocol: str) -> ReloadingContext:
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, settings: TlsSettings, alpn_protocol: str) -> None:
        self._reloaded = Reloaded(settings, lambda: _build(settings, alpn_protocol))

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """See `ssl.SSLContext.wrap_bio`."""
        return self._reloaded.current().wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """See `ssl.SSLContext.wrap_socket`."""
        return self._reloaded.current().wrap_socket(*args, **kwargs)


def server_ssl_context(settings: TlsSettings, transport: Literal["http", "grpc"] = "http") -> ssl.SSLContext:
    """SSL context of a server, which follows renewed files without a restart.

    Args:
        settings: the TLS settings.
        transport: the transport that uses the context.

    Raises:
        StartError: see `check_tls`.
    """
    check_combination(settings, transport)
    return ReloadingContext(settings, _ALPN_PROTOCOLS[transport])


def client_ssl_context(
    ca_bundle: str, certfile: str | None = None, keyfile: str | None = None, keyfile_password: str | None = None
) -> ssl.SSLContext:
    """SSL context of a client that trusts only the bundle, checks the host name and shows its own certificate.

    Raises:
        StartError: a file is missing, unreadable or wrong.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(context, ca_bundle)
    if certfile:
        load_key_pair(context, certfile, keyfile or certfile, keyfile_password)
    return context


def _build(settings: TlsSettings, alpn_protocol: str) -> ssl.SSLContext:
    check_files(settings, warn=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _LoggingSSLObject
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A resumed session is not verified again. Without tickets every connection shows a certificate that is valid now.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.set_alpn_protocols([alpn_protocol])
    load_key_pair(context, settings.certfile, settings.keyfile, settings.keyfile_password)
    context.verify_mode = _VERIFY_MODES[settings.client_auth]
    if settings.ca_bundle and settings.client_auth != "none":
        _trust(context, settings.ca_bundle)
    return context


def _trust(context: ssl.SSLContext, ca_bundle: str) -> None:
    read_file(ca_bundle, "CA bundle")
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except ssl.SSLError:
        raise StartError(
            f"CA bundle file {ca_bundle} does not hold certificates in PEM form: give the right file"
        ) from None
