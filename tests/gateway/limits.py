"""What the releases' clients cannot do, whatever the server is: the grey checks of the matrix."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """Something that a release's client cannot do, whatever the server is.

    Attributes:
        check: the check that it fails.
        transports: the transports on which it does.
        said: a pattern of what the client does instead; with any other answer the check is red.
        cause: why, for the document.
    """

    check: str
    transports: tuple[str, ...]
    said: str
    cause: str


PROTOBUF = ("grpc", "grpc+unix", "unix")
LIMITS = [
    Limit(
        "config",
        ("unix",),
        r"it keeps its own entry, and warns of nothing",
        "The client asks for the entry, but only to see that the plugin exists. It goes on with the gateway's own: "
        "write hooks, mode and conditions there.",
    ),
    Limit(
        "integers",
        PROTOBUF,
        r"\d+ comes as \d+\.0",
        "A Struct holds numbers as doubles, and the client takes them as they are. The value is right.",
    ),
    Limit(
        "objects",
        PROTOBUF,
        r"ParseError.* unexpected type ",
        "Gateways put objects of their own into the context of tool hooks, and the client cannot write them. It fails "
        "before it asks the server. With `PlainContext`, whose entry `gateway-config` prints too, it can (see below).",
    ),
]
