"""Inspection of certificates and keys on disk, and the table of `certs check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from ...tls.layout import CertificateLayout, KeyPairPaths, Usage
from .build import EXTENDED_USAGES
from .files import KEY_MODE, KeyEncryptedError, KeyUnreadableError, read_certificate, read_key
from .profile import alternative_names, name_texts

KEY_MODE_PROBLEM = "key open to other users"

_RENEWAL_WINDOW = timedelta(days=30)
"""Remaining lifetime below which a certificate is due; a third of its lifetime when that is shorter."""

_HEADINGS = ("file", "subject", "alternative names", "usage", "days left", "state")


@dataclass
class Inspection:
    """Findings about one certificate and its key.

    Attributes:
        paths: the files.
        certificate: the certificate, if there is one.
        problems: what must be put right.
        notes: what is worth knowing.
    """

    paths: KeyPairPaths
    certificate: x509.Certificate | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inspect(
    paths: KeyPairPaths, ca: x509.Certificate | None, passphrase: bytes | None, days: int | None = None
) -> Inspection:
    """Inspect a certificate and its key.

    Args:
        paths: the files.
        ca: the authority that must have signed the certificate; None for the authority's own.
        passphrase: passphrase of the key.
        days: lifetime that must remain; None for 30 days, or a third of the whole lifetime.
    """
    inspection = Inspection(paths)
    try:
        inspection.certificate = read_certificate(paths.certificate)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "damaged"
        inspection.problems.append(f"certificate: {(reason or 'cannot be read').lower()}")
        return inspection
    inspection.problems += _validity_problems(inspection.certificate, days)
    if not _has_usage(inspection.certificate, paths.usage):
        inspection.problems.append("not for an authority" if paths.usage == "ca" else f"not for a {paths.usage}")
    if ca is not None and not _issued_by(inspection.certificate, ca):
        inspection.problems.append("not signed by the present CA")
    _inspect_key(inspection, inspection.certificate, passphrase)
    return inspection


def inspect_all(
    layout: CertificateLayout, passphrase: bytes | None, ca_passphrase: bytes | None, days: int | None
) -> list[Inspection]:
    """Inspect all certificates in a folder.

    Args:
        layout: the folder.
        passphrase: passphrase of the leaf keys.
        ca_passphrase: passphrase of the authority's key.
        days: lifetime that must remain for each certificate.
    """
    ca = _read_ca(layout.ca)
    inspections = []
    for paths in layout.existing():
        if paths.usage == "ca":
            inspections.append(inspect(paths, None, ca_passphrase, days))
            continue
        trusted = _read_ca(paths)
        inspection = inspect(paths, ca or trusted, passphrase, days)
        if trusted is None:
            inspection.problems.append("ca.crt beside it: missing or damaged")
        elif ca is not None and trusted != ca:
            inspection.problems.append("ca.crt beside it: not the present CA")
        inspections.append(inspection)
    return inspections


def format_table(inspections: Sequence[Inspection], layout: CertificateLayout) -> str:
    """Format inspections as a table."""
    rows = [_HEADINGS, *(_row(inspection, layout) for inspection in inspections)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def days_left(certificate: x509.Certificate) -> float:
    """The days until a certificate expires, negative once it has."""
    return (certificate.not_valid_after_utc - datetime.now(UTC)) / timedelta(days=1)


def _validity_problems(certificate: x509.Certificate, days: int | None) -> list[str]:
    now = datetime.now(UTC)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    needed = min(_RENEWAL_WINDOW, (end - start) / 3) if days is None else timedelta(days=days)
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


def _inspect_key(inspection: Inspection, certificate: x509.Certificate, passphrase: bytes | None) -> None:
    path = inspection.paths.key
    if inspection.paths.usage == "ca" and not path.exists():
        inspection.notes.append("key kept elsewhere")
        return
    try:
        key = read_key(path, passphrase)
    except KeyEncryptedError:
        inspection.notes.append("key encrypted, not compared")
    except KeyUnreadableError as error:
        inspection.problems.append(f"key: {error}")
        return
    else:
        if key.public_key() != certificate.public_key():
            inspection.problems.append("key does not match")
    if path.stat().st_mode & 0o777 & ~KEY_MODE:
        inspection.problems.append(KEY_MODE_PROBLEM)


def _row(inspection: Inspection, layout: CertificateLayout) -> tuple[str, ...]:
    paths, certificate = inspection.paths, inspection.certificate
    file = str(paths.certificate.relative_to(layout.root))
    state = "; ".join([*inspection.problems, *inspection.notes]) or "ok"
    if certificate is None:
        return file, "", "", paths.usage, "", state
    names = ",".join(name_texts(alternative_names(certificate))) or "-"
    return file, certificate.subject.rfc4514_string(), names, paths.usage, f"{days_left(certificate):.0f}", state


def _read_ca(paths: KeyPairPaths) -> x509.Certificate | None:
    try:
        return read_certificate(paths.ca)
    except (OSError, ValueError):
        return None
