"""The connections of all transports: how many there are, and how many there may be."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class ConnectionLimiter:
    """Counts connections by transport.

    Args:
        limit: connections that one transport may have in this process.

    Attributes:
        limit: the same.
        counts: open connections by the name of the transport.
        watchers: called whenever `counts` has changed.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counts: dict[str, int] = {}
        self.watchers: list[Callable[[], None]] = []
        self._full: set[str] = set()

    def open(self, transport: str) -> bool:
        """Count a new connection; False when there are too many, and it must be closed without `close`."""
        count = self.counts.get(transport, 0)
        if count >= self.limit:
            if transport not in self._full:
                self._full.add(transport)
                logger.warning(
                    "%s: %d connections are open, further ones are refused (PLUGINS_MAX_CONNECTIONS)", transport, count
                )
            return False
        self.counts[transport] = count + 1
        self._changed()
        return True

    def close(self, transport: str) -> None:
        """Count a connection that is gone."""
        self.counts[transport] -= 1
        self._full.discard(transport)
        self._changed()

    def read(self) -> dict[str, int]:
        """The open connections by transport, as of now."""
        return dict(self.counts)

    def _changed(self) -> None:
        for watcher in self.watchers:
            watcher()
