"""Private keys: made, written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ...errors import PlugsmithError, StartError

KeyType = Literal["ec", "rsa"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

RSA_BITS = 4096


class KeyEncryptedError(PlugsmithError):
    """The key needs a passphrase, and none was given."""


class KeyUnreadableError(PlugsmithError):
    """The key cannot be read; the text says why."""


def make_key(key_type: KeyType) -> PrivateKey:
    """Make a key: on the curve P-256, which every TLS peer has and which is the fastest there, or RSA 4096."""
    if key_type == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """Write a key as PKCS#8 in PEM, encrypted when a passphrase is given."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def read_key(path: Path, passphrase: bytes | None) -> PrivateKey:
    """Read a key.

    Raises:
        KeyEncryptedError: it needs a passphrase.
        KeyUnreadableError: it is missing, damaged, of another type, or the passphrase is wrong.
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
    """Read the authority's key for signing.

    Raises:
        StartError: it cannot be used.
    """
    try:
        return read_key(path, passphrase)
    except KeyEncryptedError:
        raise StartError(f"{path} is encrypted: give its passphrase with --ca-passphrase-file or -env") from None
    except KeyUnreadableError as error:
        raise StartError(f"{path}: {error}: a certificate can be signed only with the authority's key") from None
