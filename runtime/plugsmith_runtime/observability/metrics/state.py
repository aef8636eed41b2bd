"""What is true of a server at a moment, beside its calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """A server at a moment.

    Attributes:
        running: hooks that are running, by plugin.
        serving: whether each plugin can do its work.
        connections: open connections, by transport.
        expiries: the Unix times at which the served certificates expire, by transport.
    """

    running: dict[str, int]
    serving: dict[str, bool]
    connections: dict[str, int]
    expiries: dict[str, float]
