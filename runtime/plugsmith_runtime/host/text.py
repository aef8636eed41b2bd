"""Text of a payload, however deep it sits: what most filters look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def strings(value: Any) -> Iterator[str]:
    """List the strings of a value, the keys of maps included.

    Args:
        value: maps, lists and scalars, as payloads hold them.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            # Most items are strings, and a generator for each costs more than all the rest.
            if isinstance(item, str):
                yield item
            elif isinstance(item, (dict, list, tuple)):
                yield from strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, str):
                yield item
            elif isinstance(item, (dict, list, tuple)):
                yield from strings(item)


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """Copy a value with all its strings changed; the keys of maps stay as they are.

    Args:
        value: maps, lists and scalars, as payloads hold them.
        change: makes the new string from the old one.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: map_strings(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [map_strings(item, change) for item in value]
    return value
