"""gRPC metadata: names and values that travel beside the messages, as header fields and trailers.

Names are lower case. The value of a name that ends in "-bin" is bytes and travels in base64; that of others is
printable ASCII.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

from ..errors import EncodeError
from ..http2.hpack import Fields

Metadata = Sequence[tuple[str, str | bytes]]

_NAME = re.compile(r"[0-9a-z_.-]+", re.ASCII)
_VALUE = re.compile(r"[ -~]*", re.ASCII)
_RESERVED = ("grpc-", ":")
_TRANSPORT_FIELDS = {b"content-type", b"te", b"user-agent", b"host", b"connection"}
_BINARY_SUFFIX = "-bin"


def encode_metadata(metadata: Metadata) -> Iterable[tuple[bytes, bytes]]:
    """The header fields of metadata.

    Raises:
        EncodeError: a name or value is not allowed.
    """
    for name, value in metadata:
        if not _NAME.fullmatch(name) or name.startswith(_RESERVED) or name.encode() in _TRANSPORT_FIELDS:
            raise EncodeError(f"metadata {name!r}", "names are lower-case ASCII and none of the protocol's own")
        if name.endswith(_BINARY_SUFFIX):
            if isinstance(value, str):
                raise EncodeError(f"metadata {name!r}", "the value of a -bin name is bytes")
            yield name.encode(), base64.b64encode(value).rstrip(b"=")
        else:
            if isinstance(value, bytes) or not _VALUE.fullmatch(value):
                raise EncodeError(
                    f"metadata {name!r}", "values are printable ASCII; bytes need a name with -bin at its end"
                )
            yield name.encode(), value.strip(" ").encode()


def decode_metadata(fields: Fields) -> Metadata:
    """The metadata among header fields or trailers; what cannot be decoded is left out.

    The values of a name that comes more than once are joined by commas, unless it ends in "-bin".
    """
    metadata: list[tuple[str, str | bytes]] = []
    for key, value in fields.items():
        if key.startswith((b":", b"grpc-")) or key in _TRANSPORT_FIELDS:
            continue
        name = key.decode("latin-1")
        if name.endswith(_BINARY_SUFFIX):
            for part in value.split(b","):
                try:
                    metadata.append((name, decode_base64(part.strip())))
                except binascii.Error:
                    continue
        else:
            metadata.append((name, value.decode("latin-1")))
    return metadata


def decode_base64(value: bytes) -> bytes:
    """Decode base64 with or without its padding.

    Raises:
        binascii.Error: it is none.
    """
    return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
