"""Makes what is missing, renews what is due, keeps what is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ...errors import StartError
from ...tls.layout import CertificateLayout, KeyPairPaths
from .build import make_ca, make_leaf
from .files import CERTIFICATE_MODE, KEY_MODE, write_file, write_pair
from .inspection import Inspection, inspect, read_certificate
from .keys import KeyType, key_pem, make_key, read_ca_key
from .names import common_name, general_name, names_of, own_names, shown


@dataclass(frozen=True)
class Outcome:
    """What became of a place: "made", "renewed" or "kept", and why."""

    place: KeyPairPaths
    action: str
    reason: str
    certificate: x509.Certificate


@dataclass(frozen=True)
class CertificateManager:
    """Makes certificates in a folder.

    Attributes:
        folder: the folder.
        key_type: the type of new keys.
        passphrase: for the keys of leaves.
        ca_passphrase: for the authority's key.
        force: make new ones even where the present ones are good.
    """

    folder: CertificateLayout
    key_type: KeyType = "ec"
    passphrase: bytes | None = None
    ca_passphrase: bytes | None = None
    force: bool = False

    def ca(self, days: int, force: bool = False) -> Outcome:
        """Make sure that there is an authority.

        A renewed one keeps its key and its name, so that what it has signed stays good; a forced one is a new
        authority, after which all leaves must be made anew.

        Args:
            days: its lifetime.
            force: make a new authority.

        Raises:
            StartError: the present one cannot be renewed.
        """
        place = self.folder.ca
        found = inspect(place, None, self.ca_passphrase)
        _close_key(found)
        if found.certificate and not found.problems and not force:
            return Outcome(place, "kept", ", ".join(found.notes), found.certificate)
        fresh = not place.certificate.exists() and not place.key.exists()
        reason = "" if fresh else "forced" if force else ", ".join(found.problems)
        if fresh or force:
            key = make_key(self.key_type)
        elif set(found.problems) <= {"expired", "expires soon"}:
            key = read_ca_key(place.key, self.ca_passphrase)
        else:
            raise StartError(
                f"{place.certificate}: {', '.join(found.problems)}: put the right files back, or use --force"
            )
        certificate = make_ca(key, place.name, days)
        self._write(place, certificate, key_pem(key, self.ca_passphrase) if fresh or force else None)
        return Outcome(place, "made" if fresh else "renewed", reason, certificate)

    def leaf(self, place: KeyPairPaths, days: int, hosts: Sequence[str]) -> Outcome:
        """Make sure that a server or a client has a certificate of the present authority.

        Args:
            place: whose.
            days: its lifetime.
            hosts: further names and addresses.

        Raises:
            StartError: it cannot be signed, or a good one lacks a host.
        """
        ca = read_certificate(self.folder.ca.certificate)
        found = inspect(place, ca, self.passphrase)
        _close_key(found)
        asked = [general_name(host) for host in hosts]
        present = names_of(found.certificate) if found.certificate else []
        if found.certificate and not found.problems and not self.force:
            if lacking := shown(name for name in asked if name not in present):
                raise StartError(
                    f"{place.certificate} is valid but lacks {', '.join(lacking)}: use --force to replace it"
                )
            outcome = Outcome(place, "kept", ", ".join(found.notes), found.certificate)
        else:
            # Hosts that somebody named once are still wanted when the certificate is renewed by a timer.
            names = [*own_names(place), *asked, *([] if self.force else present)]
            ca_key = read_ca_key(self.folder.ca.key, self.ca_passphrase)
            if ca_key.public_key() != ca.public_key():
                raise StartError(f"{self.folder.ca.key} does not match ca.crt beside it: put the right files back")
            key = make_key(self.key_type)
            certificate = make_leaf(key, place.usage, common_name(place), list(dict.fromkeys(names)), days, ca, ca_key)
            fresh = not place.certificate.exists()
            reason = "" if fresh else "forced" if self.force else ", ".join(found.problems)
            self._write(place, certificate, key_pem(key, self.passphrase))
            outcome = Outcome(place, "made" if fresh else "renewed", reason, certificate)
        self._copy_ca(place)
        return outcome

    def _write(self, place: KeyPairPaths, certificate: x509.Certificate, key: bytes | None) -> None:
        self.folder.root.mkdir(parents=True, exist_ok=True)
        ignore = self.folder.root / ".gitignore"
        if not ignore.exists():
            write_file(ignore, b"# Keys never belong into a repository.\n*\n", CERTIFICATE_MODE)
        pem = certificate.public_bytes(Encoding.PEM)
        if key is None:
            write_file(place.certificate, pem, CERTIFICATE_MODE)
        else:
            write_pair(place.certificate, pem, place.key, key)

    def _copy_ca(self, place: KeyPairPaths) -> None:
        content = self.folder.ca.certificate.read_bytes()
        if not place.ca.exists() or place.ca.read_bytes() != content:
            write_file(place.ca, content, CERTIFICATE_MODE)


def _close_key(found: Inspection) -> None:
    """Take a kept key away from other users: that needs no new certificate."""
    problem = "key open to other users"
    if problem in found.problems:
        found.place.key.chmod(KEY_MODE)
        found.problems.remove(problem)
        found.notes.append("the key's mode is now 0600")
