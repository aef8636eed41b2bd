"""How long to wait before another attempt to connect."""

from __future__ import annotations

import random

FIRST = 0.1
LONGEST = 5.0


class Backoff:
    """Pauses that double from attempt to attempt up to a limit.

    Each is drawn from the whole range below, so that the gateways of a fleet do not come back all at once.
    """

    def __init__(self) -> None:
        self._limit = FIRST

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._limit = FIRST

    def pause(self) -> float:
        """The next pause in seconds."""
        limit, self._limit = self._limit, min(self._limit * 2, LONGEST)
        return random.uniform(limit / 4, limit)
