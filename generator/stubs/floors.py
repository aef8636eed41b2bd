"""Reads from generated code which runtime versions it demands."""

import re
from collections.abc import Iterable

_FLOORS = {
    "grpcio": re.compile(r"^GRPC_GENERATED_VERSION = '([\d.]+)'", re.MULTILINE),
    "protobuf": re.compile(r"^# Protobuf Python Version: ([\d.]+)", re.MULTILINE),
}


def version_floors(texts: Iterable[str]) -> dict[str, str]:
    """Returns the lowest version of each package that all of the given modules accept.

    Args:
        texts: sources of generated modules.

    Returns:
        Versions by package, such as {"grpcio": "1.82.1", "protobuf": "7.35.0"}; a package that none needs is missing.
    """
    floors: dict[str, str] = {}
    for text in texts:
        for package, pattern in _FLOORS.items():
            match = pattern.search(text)
            if match:
                floors[package] = max(floors.get(package, "0"), match[1], key=_parts)
    return floors


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
