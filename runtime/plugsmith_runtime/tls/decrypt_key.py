"""Private keys for grpcio, which takes no password."""

from __future__ import annotations

from ..errors import StartError
from .keypair import read_file


def clear_key(path: str, password: str | None) -> bytes:
    """Read a private key, decrypted.

    Args:
        path: its file.
        password: its password, if it has one.

    Raises:
        StartError: it cannot be read or decrypted, or that needs the extra `certs`.
    """
    content = read_file(path, "TLS key")
    if b"ENCRYPTED" not in content:
        return content
    if password is None:
        raise StartError(f"TLS key file {path} is encrypted: set keyfile_password")
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise StartError(
            f"TLS key file {path} is encrypted, which grpcio cannot read by itself: install the extra 'certs'"
        ) from None
    try:
        key = serialization.load_pem_private_key(content, password.encode())
    except ValueError:
        raise StartError(
            f"TLS key file {path} cannot be decrypted: keyfile_password is wrong, or the file is damaged"
        ) from None
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
