"""What a gateway cannot do, whatever the plugin is: steps that must end as said here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A step that a gateway cannot get through.

    Attributes:
        release: the gateway's version.
        way: the way's name.
        step: the step's name.
        said: a pattern of what it ends with; with anything else, the test fails.
        cause: why, for the document.
    """

    release: str
    way: str
    step: str
    said: str
    cause: str


LIMITS = [
    Limit(
        "1.0.0",
        "stdio",
        "recovers",
        r"ClosedResourceError",
        "Over stdio the plugin is the gateway's child, and this gateway does not start it again: every call fails with "
        "`ClosedResourceError()`, and none reaches the backend, until the gateway is restarted.",
    )
]


def limit_of(release: str, way: str, step: str) -> Limit | None:
    """The limit that keeps a gateway from getting through a step, if there is one."""
    return next((limit for limit in LIMITS if (limit.release, limit.way, limit.step) == (release, way, step)), None)
