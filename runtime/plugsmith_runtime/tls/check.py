"""Checks of a transport's TLS settings, made before it binds."""

from __future__ import annotations

import logging
import os
import ssl
import time
from typing import Literal

from ..errors import StartError
from .files import read_file
from .keypair import check_server_key_pair
from .settings import TlsSettings

logger = logging.getLogger(__name__)

_EXPIRY_WARNING_DAYS = 14

_SECONDS_PER_DAY = 86_400


def check_tls(settings: TlsSettings, transport: Literal["http", "grpc"], uds: str | None = None) -> None:
    """Check that a transport can honour its TLS settings in full.

    Args:
        settings: the settings of the transport.
        transport: the transport that uses them; gRPC has no optional client certificates.
        uds: path of the Unix socket that the transport binds, if any.

    Raises:
        StartError: a setting cannot be honoured, or a file is missing, unreadable, wrong or expired.
    """
    check_combination(settings, transport, uds)
    check_files(settings)


def check_combination(settings: TlsSettings, transport: Literal["http", "grpc"], uds: str | None = None) -> None:
    """Check that the settings go together; see `check_tls`."""
    if uds:
        raise StartError(
            f"TLS is set for the {transport} transport on the Unix socket {uds}: use a TCP port, or no TLS"
        )
    if settings.client_auth == "optional" and transport == "grpc":
        raise StartError(
            "client_auth is optional for the grpc transport, which has no such thing: set it to require, or to none"
        )
    if settings.client_auth != "none" and not settings.ca_bundle:
        raise StartError(
            f"client_auth is {settings.client_auth} for the {transport} transport, but no ca_bundle is set: "
            "give the file with the authorities of your clients, or set client_auth to none"
        )
    if settings.allowed_clients and settings.client_auth != "require":
        raise StartError(
            f"allowed_clients is set for the {transport} transport, but client_auth is {settings.client_auth}: "
            "set client_auth to require"
        )


def check_files(settings: TlsSettings, warn: bool = False) -> None:
    """Check the files that the settings name, as they are now.

    Args:
        settings: the settings.
        warn: whether to log what is allowed but should be put right.

    Raises:
        StartError: a file is missing, unreadable, wrong or expired.
    """
    for name in ("certfile", "keyfile"):
        if not getattr(settings, name):
            raise StartError(f"TLS is enabled, but no {name} is set: give its path, or switch TLS off")
    certificate = check_server_key_pair(settings.certfile, settings.keyfile, settings.keyfile_password)
    if settings.ca_bundle and settings.client_auth != "none":
        _check_ca_bundle(settings.ca_bundle)
    if warn:
        _warn(settings, str(certificate["notAfter"]))


def _check_ca_bundle(path: str) -> None:
    read_file(path, "CA bundle")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise StartError(f"CA bundle file {path} does not hold certificates in PEM form: give the right file") from None
    authorities = context.get_ca_certs()
    if not authorities:
        raise StartError(f"CA bundle file {path} holds no certificate of an authority: give the CA's own certificate")
    now = time.time()
    if all(ssl.cert_time_to_seconds(str(authority["notAfter"])) < now for authority in authorities):
        raise StartError(f"CA bundle file {path} has expired: renew the CA")


def _warn(settings: TlsSettings, not_after: str) -> None:
    days = (ssl.cert_time_to_seconds(not_after) - time.time()) / _SECONDS_PER_DAY
    if days < _EXPIRY_WARNING_DAYS:
        logger.warning("TLS certificate file %s expires in %.1f days: renew it", settings.certfile, days)
    if os.stat(settings.keyfile).st_mode & 0o077:
        logger.warning("TLS key file %s can be read by other users: set its mode to 0600", settings.keyfile)
