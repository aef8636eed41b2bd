"""Manager of certificates: issues what is missing, renews what is due, keeps what is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ...errors import StartError
from ...tls.layout import CertificateLayout, KeyPairPaths
from .build import build_ca, build_leaf
from .files import (
    CERTIFICATE_MODE,
    KEY_MODE,
    KeyType,
    encode_key,
    generate_key,
    read_ca_key,
    read_certificate,
    write_file,
    write_pair,
)
from .inspection import KEY_MODE_PROBLEM, Inspection, inspect
from .profile import alternative_names, common_name, default_names, general_name, name_texts


@dataclass(frozen=True)
class Outcome:
    """Outcome for one certificate.

    Attributes:
        paths: the files.
        action: what the manager did.
        reason: why, empty for a first certificate.
        certificate: the certificate that is there now.
    """

    paths: KeyPairPaths
    action: Literal["made", "renewed", "kept"]
    reason: str
    certificate: x509.Certificate


@dataclass(frozen=True)
class CertificateManager:
    """Manager of the certificates in a folder.

    Attributes:
        layout: the folder.
        key_type: type of new keys.
        passphrase: passphrase of leaf keys.
        ca_passphrase: passphrase of the authority's key.
        force: whether to replace leaf certificates that are good.
    """

    layout: CertificateLayout
    key_type: KeyType = "ec"
    passphrase: bytes | None = None
    ca_passphrase: bytes | None = None
    force: bool = False

    def ensure_ca(self, days: int, force: bool = False) -> Outcome:
        """Make sure that there is an authority.

        A renewed authority keeps its key and its name, so that what it has signed stays valid. A forced one is a new
        authority, after which all leaf certificates must be issued anew.

        Args:
            days: lifetime of a new certificate.
            force: whether to make a new authority.

        Raises:
            StartError: the present one cannot be renewed.
        """
        paths = self.layout.ca
        inspection = inspect(paths, None, self.ca_passphrase)
        _restrict_key_mode(inspection)
        if inspection.certificate and not inspection.problems and not force:
            return Outcome(paths, "kept", ", ".join(inspection.notes), inspection.certificate)
        first = not paths.certificate.exists() and not paths.key.exists()
        reason = "" if first else "forced" if force else ", ".join(inspection.problems)
        if first or force:
            key = generate_key(self.key_type)
        elif set(inspection.problems) <= {"expired", "expires soon"}:
            key = read_ca_key(paths.key, self.ca_passphrase)
        else:
            raise StartError(
                f"{paths.certificate}: {', '.join(inspection.problems)}: put the right files back, or use --force"
            )
        certificate = build_ca(key, paths.name, days)
        self._write(paths, certificate, encode_key(key, self.ca_passphrase) if first or force else None)
        return Outcome(paths, "made" if first else "renewed", reason, certificate)

    def ensure_leaf(self, paths: KeyPairPaths, days: int, hosts: Sequence[str]) -> Outcome:
        """Make sure that a server or a client has a certificate of the present authority.

        Args:
            paths: files of the certificate.
            days: lifetime of a new certificate.
            hosts: further names and addresses.

        Raises:
            StartError: a new certificate cannot be signed, or a good one lacks a host.
        """
        ca = read_certificate(self.layout.ca.certificate)
        inspection = inspect(paths, ca, self.passphrase)
        _restrict_key_mode(inspection)
        requested = [general_name(host) for host in hosts]
        present = alternative_names(inspection.certificate) if inspection.certificate else []
        if inspection.certificate and not inspection.problems and not self.force:
            if missing := name_texts(name for name in requested if name not in present):
                raise StartError(
                    f"{paths.certificate} is valid but lacks {', '.join(missing)}: use --force to replace it"
                )
            outcome = Outcome(paths, "kept", ", ".join(inspection.notes), inspection.certificate)
        else:
            # A timer that renews the certificate does not name the hosts again.
            names = [*default_names(paths), *requested, *([] if self.force else present)]
            outcome = self._issue_leaf(inspection, ca, list(dict.fromkeys(names)), days)
        self._copy_ca(paths)
        return outcome

    def _issue_leaf(
        self, inspection: Inspection, ca: x509.Certificate, names: Sequence[x509.GeneralName], days: int
    ) -> Outcome:
        paths = inspection.paths
        ca_key = read_ca_key(self.layout.ca.key, self.ca_passphrase)
        if ca_key.public_key() != ca.public_key():
            raise StartError(f"{self.layout.ca.key} does not match ca.crt beside it: put the right files back")
        key = generate_key(self.key_type)
        certificate = build_leaf(key, paths.usage, common_name(paths), names, days, ca, ca_key)
        first = not paths.certificate.exists()
        reason = "" if first else "forced" if self.force else ", ".join(inspection.problems)
        self._write(paths, certificate, encode_key(key, self.passphrase))
        return Outcome(paths, "made" if first else "renewed", reason, certificate)

    def _write(self, paths: KeyPairPaths, certificate: x509.Certificate, key: bytes | None) -> None:
        self.layout.root.mkdir(parents=True, exist_ok=True)
        ignore = self.layout.root / ".gitignore"
        if not ignore.exists():
            write_file(ignore, b"# Keys never belong into a repository.\n*\n", CERTIFICATE_MODE)
        pem = certificate.public_bytes(Encoding.PEM)
        if key is None:
            write_file(paths.certificate, pem, CERTIFICATE_MODE)
        else:
            write_pair(paths.certificate, pem, paths.key, key)

    def _copy_ca(self, paths: KeyPairPaths) -> None:
        content = self.layout.ca.certificate.read_bytes()
        if not paths.ca.exists() or paths.ca.read_bytes() != content:
            write_file(paths.ca, content, CERTIFICATE_MODE)


def _restrict_key_mode(inspection: Inspection) -> None:
    """Correct the mode of a key that other users may read; that needs no new certificate."""
    if KEY_MODE_PROBLEM in inspection.problems:
        inspection.paths.key.chmod(KEY_MODE)
        inspection.problems.remove(KEY_MODE_PROBLEM)
        inspection.notes.append("the key's mode is now 0600")
