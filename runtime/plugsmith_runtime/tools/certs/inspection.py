"""What is wrong with a certificate and its key, if anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from ...tls.layout import KeyPairPaths, Usage
from .build import EXTENDED_USAGES
from .files import KEY_MODE
from .keys import KeyEncryptedError, KeyUnreadableError, read_key

SOON = timedelta(days=30)
"""A certificate is renewed when less is left than this, or than a third of its lifetime when that is shorter."""


@dataclass
class Inspection:
    """A place as it is.

    Attributes:
        place: the place.
        certificate: its certificate, when there is one.
        problems: what must be put right, in words.
        notes: what is worth knowing.
    """

    place: KeyPairPaths
    certificate: x509.Certificate | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inspect(
    place: KeyPairPaths, ca: x509.Certificate | None, passphrase: bytes | None, days: int | None = None
) -> Inspection:
    """Inspect a place.

    Args:
        place: the place.
        ca: the authority that should have signed the certificate; None for the authority's own place.
        passphrase: of the key.
        days: how long the certificate must still hold; `SOON` when None.
    """
    found = Inspection(place)
    try:
        found.certificate = read_certificate(place.certificate)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "damaged"
        found.problems.append(f"certificate: {(reason or 'cannot be read').lower()}")
        return found
    found.problems += _time_problems(found.certificate, days)
    if not _has_usage(found.certificate, place.usage):
        found.problems.append("not for an authority" if place.usage == "ca" else f"not for a {place.usage}")
    if ca is not None and not _issued_by(found.certificate, ca):
        found.problems.append("not signed by the present CA")
    _inspect_key(found, found.certificate, passphrase)
    return found


def read_certificate(path: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no certificate.
    """
    return x509.load_pem_x509_certificate(path.read_bytes())


def days_left(certificate: x509.Certificate) -> float:
    """The days until a certificate expires, negative when it has."""
    return (certificate.not_valid_after_utc - datetime.now(UTC)) / timedelta(days=1)


def _time_problems(certificate: x509.Certificate, days: int | None) -> list[str]:
    now = datetime.now(UTC)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    needed = min(SOON, (end - start) / 3) if days is None else timedelta(days=days)
    if end <= now:
        return ["expired"]
    if start > now:
        return ["not valid yet"]
    return ["expires soon"] if end - now < needed else []


def _has_usage(certificate: x509.Certificate, usage: Usage) -> bool:
    extensions = certificate.extensions
    try:
        if usage == "ca":
            signs = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
            return signs and extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        return EXTENDED_USAGES[usage] in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False


def _issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _inspect_key(found: Inspection, certificate: x509.Certificate, passphrase: bytes | None) -> None:
    path = found.place.key
    if found.place.usage == "ca" and not path.exists():
        found.notes.append("key kept elsewhere")
        return
    try:
        key = read_key(path, passphrase)
    except KeyEncryptedError:
        found.notes.append("key encrypted, not compared")
    except KeyUnreadableError as error:
        found.problems.append(f"key: {error}")
        return
    else:
        if key.public_key() != certificate.public_key():
            found.problems.append("key does not match")
    if path.stat().st_mode & 0o777 & ~KEY_MODE:
        found.problems.append("key open to other users")
