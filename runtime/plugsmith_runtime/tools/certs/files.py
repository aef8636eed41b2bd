"""PEM files of certificates and private keys: generated, read, and written whole with their mode."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ...errors import PlugsmithError, StartError

KeyType = Literal["ec", "rsa"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

RSA_KEY_BITS = 4096
KEY_MODE = 0o600
CERTIFICATE_MODE = 0o644


class KeyEncryptedError(PlugsmithError):
    """An encrypted key without a passphrase."""


class KeyUnreadableError(PlugsmithError):
    """A key that cannot be read; the text says why."""


def generate_key(key_type: KeyType) -> PrivateKey:
    """Generate a key: EC P-256, the fastest curve that every TLS client and server has, or RSA 4096."""
    if key_type == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=RSA_KEY_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def encode_key(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """Encode a key as PKCS #8 in PEM, encrypted when there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def read_key(path: Path, passphrase: bytes | None) -> PrivateKey:
    """Read a key.

    Raises:
        KeyEncryptedError: the key needs a passphrase.
        KeyUnreadableError: the key is missing, damaged, of another type, or the passphrase is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyUnreadableError((error.strerror or "cannot be read").lower()) from None
    encrypted = b"ENCRYPTED" in content
    if encrypted and passphrase is None:
        raise KeyEncryptedError
    try:
        key = serialization.load_pem_private_key(content, passphrase if encrypted else None)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnreadableError("wrong passphrase, or damaged" if encrypted else "damaged") from None
    if not isinstance(key, PrivateKey):
        raise KeyUnreadableError("neither an EC nor an RSA key")
    return key


def read_ca_key(path: Path, passphrase: bytes | None) -> PrivateKey:
    """Read the authority's key, for signing.

    Raises:
        StartError: the key cannot be used.
    """
    try:
        return read_key(path, passphrase)
    except KeyEncryptedError:
        raise StartError(f"{path} is encrypted: give its passphrase with --ca-passphrase-file or -env") from None
    except KeyUnreadableError as error:
        raise StartError(f"{path}: {error}: a certificate can be signed only with the authority's key") from None


def read_certificate(path: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file holds no certificate.
    """
    return x509.load_pem_x509_certificate(path.read_bytes())


def write_pair(certificate_path: Path, certificate: bytes, key_path: Path, key: bytes) -> None:
    """Write a key, then its certificate: servers that watch both load them when the certificate is there."""
    write_file(key_path, key, KEY_MODE)
    write_file(certificate_path, certificate, CERTIFICATE_MODE)


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file atomically: under a temporary name, then renamed.

    Args:
        path: the file; its folder is created.
        content: the content of the file.
        mode: the mode of the file from the moment it exists.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
