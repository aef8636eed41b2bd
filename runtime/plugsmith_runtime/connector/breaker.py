"""Keeps a plugin that does not answer from costing a deadline on every call."""

from __future__ import annotations


class Breaker:
    """Open after some calls in a row without an answer in time.

    Refused connections do not count: they cost nothing, and a plugin that comes back must get its first call.

    Args:
        failures: how many calls open it.
    """

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self._counted = 0

    @property
    def is_open(self) -> bool:
        """Whether calls are to fail at once."""
        return self._counted >= self._failures

    def timed_out(self) -> bool:
        """Count a call without an answer; returns whether that opened it."""
        self._counted += 1
        return self._counted == self._failures

    def answered(self) -> None:
        """Close it: an answer came, whichever it was."""
        self._counted = 0

    def probed(self) -> None:
        """Close it on trial, after a probe was answered: the next call without an answer opens it again."""
        self._counted = min(self._counted, self._failures - 1)
