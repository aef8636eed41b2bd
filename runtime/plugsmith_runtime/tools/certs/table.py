"""The table of `certs check`."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from ...tls.layout import CertificateLayout, KeyPairPaths
from .inspection import Inspection, days_left, inspect, read_certificate
from .names import names_of, shown

HEADINGS = ("file", "subject", "alternative names", "usage", "days left", "state")


def check_folder(
    folder: CertificateLayout, passphrase: bytes | None, ca_passphrase: bytes | None, days: int | None
) -> list[Inspection]:
    """Inspect all that a folder holds.

    Args:
        folder: the folder.
        passphrase: of the leaves' keys.
        ca_passphrase: of the authority's key.
        days: how long each certificate must still hold.
    """
    authority = _read(folder.ca)
    inspections = []
    for place in folder.existing():
        if place.usage == "ca":
            inspections.append(inspect(place, None, ca_passphrase, days))
            continue
        trusted = _read(place)
        found = inspect(place, authority or trusted, passphrase, days)
        if trusted is None:
            found.problems.append("ca.crt beside it: missing or damaged")
        elif authority is not None and trusted != authority:
            found.problems.append("ca.crt beside it: not the present CA")
        inspections.append(found)
    return inspections


def table(inspections: Sequence[Inspection], folder: CertificateLayout) -> str:
    """Lay inspections out as a table."""
    rows = [HEADINGS, *(_row(item, folder) for item in inspections)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _row(found: Inspection, folder: CertificateLayout) -> tuple[str, ...]:
    file = str(found.place.certificate.relative_to(folder.root))
    state = "; ".join([*found.problems, *found.notes]) or "ok"
    if found.certificate is None:
        return file, "", "", found.place.usage, "", state
    names = ",".join(shown(names_of(found.certificate))) or "-"
    subject = found.certificate.subject.rfc4514_string()
    return file, subject, names, found.place.usage, f"{days_left(found.certificate):.0f}", state


def _read(place: KeyPairPaths) -> x509.Certificate | None:
    try:
        return read_certificate(place.ca)
    except (OSError, ValueError):
        return None
