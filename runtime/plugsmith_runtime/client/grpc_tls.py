"""TLS of gRPC clients."""

from __future__ import annotations

import grpc

from ..tls.files import read_file
from ..tls.keypair import decrypt_key


def grpc_channel_credentials(
    ca_bundle: str, certfile: str | None = None, keyfile: str | None = None, keyfile_password: str | None = None
) -> grpc.ChannelCredentials:
    """The credentials of a client: it trusts only the bundle and shows its own certificate.

    Raises:
        StartError: a file is missing, unreadable or wrong, or the key is encrypted and the extra `certs` is missing.
    """
    roots = read_file(ca_bundle, "CA bundle")
    if not certfile:
        return grpc.ssl_channel_credentials(roots)
    key = decrypt_key(keyfile or certfile, keyfile_password)
    return grpc.ssl_channel_credentials(roots, key, read_file(certfile, "TLS certificate"))
