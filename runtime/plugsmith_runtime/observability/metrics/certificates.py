"""Expiry of the served certificates, as they lie on disk now: renewed ones are served without a restart."""

from __future__ import annotations

import calendar
import ssl
import time
from collections.abc import Mapping

from ...tls.files import FileState, file_state

_PEM_END = "-----END CERTIFICATE-----"
_DER_SEQUENCE, _DER_VERSION = 0x30, 0xA0
_DER_UTC_TIME = 0x17


class Certificates:
    """The certificates of a server's transports.

    Args:
        files: the PEM files of the certificates, by transport.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._known: dict[str, tuple[FileState, float]] = {}

    def expiries(self) -> dict[str, float]:
        """The Unix time at which each transport's certificate expires."""
        for name, path in self._files.items():
            # A file that cannot be read is not served either: the former certificate stays, and so does its end.
            try:
                state = file_state(path)
                if state is not None and (name not in self._known or self._known[name][0] != state):
                    with open(path, encoding="ascii", errors="replace") as file:
                        self._known[name] = (state, not_after(file.read()))
            except (OSError, ValueError, IndexError):
                continue
        return {name: end for name, (_, end) in self._known.items()}


def not_after(pem: str) -> float:
    """The Unix time at which the first certificate of a PEM file expires.

    Python's ssl module tells it only of certificates that it verifies, and so not of one that has expired.

    Args:
        pem: the file's text.

    Raises:
        ValueError, IndexError: it holds no certificate.
    """
    before, mark, _ = pem.partition(_PEM_END)
    der = ssl.PEM_cert_to_DER_cert(before[before.rindex("-----BEGIN CERTIFICATE-----") :] + mark)
    # Certificate { tbsCertificate { version?, serialNumber, signature, issuer, validity { notBefore, notAfter } } }
    _, at, _ = _der_element(der, 0)
    _, at, _ = _der_element(der, at)
    if der[at] == _DER_VERSION:
        at = _der_element(der, at)[2]
    for _ in range(3):
        at = _der_element(der, at)[2]
    tag, at, _ = _der_element(der, at)
    if tag != _DER_SEQUENCE:
        raise ValueError("no certificate")
    tag, start, end = _der_element(der, _der_element(der, at)[2])
    text = der[start:end].decode("ascii")
    # %y has its turn of the century where X.509 wants it only until 2068: 1950 to 2049 are two digits there.
    if tag == _DER_UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return float(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))


def _der_element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of a DER element, and where its content begins and ends."""
    tag, size, start = der[at], der[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[at + 2 : start], "big")
    return tag, start, start + size
