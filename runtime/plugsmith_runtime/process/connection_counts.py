"""How many connections each worker has, in memory that all of them see."""

from __future__ import annotations

import mmap
import os
import tempfile

from ..net.connections import ConnectionLimiter

_MOST = 1024
_BYTES = 4
_ABSENT = (1 << 32) - 1


class ConnectionCounts:
    """The open connections by the number of the worker; a worker writes only its own.

    Args:
        descriptor: the file of another `ConnectionCounts` to share; a new one that is gone at the end when None.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._own = -1
        if descriptor is None:
            self._own, path = tempfile.mkstemp()
            os.unlink(path)
            os.write(self._own, _ABSENT.to_bytes(_BYTES, "big") * _MOST)
            descriptor = self._own
        # Single numbers are read and written whole: nobody sees half of one.
        self._counts = memoryview(mmap.mmap(descriptor, _MOST * _BYTES)).cast("I")

    def fileno(self) -> int:
        """The descriptor of the file, in the process that made it."""
        return self._own

    def close(self) -> None:
        """Close the file; whoever shares it keeps it."""
        if self._own >= 0:
            os.close(self._own)
            self._own = -1

    def tell(self, number: int, count: int) -> None:
        """Write how many connections a worker has."""
        if number <= _MOST:
            self._counts[number - 1] = min(count, _ABSENT - 1)

    def forget(self, number: int) -> None:
        """A worker is gone: nobody shall wait for it."""
        if number <= _MOST:
            self._counts[number - 1] = _ABSENT

    def least(self) -> int:
        """The connections of the worker that has the fewest."""
        return min(self._counts)


class Share:
    """What one worker has of all connections.

    Args:
        loads: what each worker has.
        number: the number of this one.
        connections: its connections.
    """

    def __init__(self, loads: ConnectionCounts, number: int, connections: ConnectionLimiter) -> None:
        self._loads = loads
        self._number = number
        self._connections = connections
        connections.subscribe(self._tell)
        self._tell()

    def lead(self, coming: int) -> int:
        """How many connections more this worker has than the one with the fewest.

        Args:
            coming: accepted ones that are not among its connections yet.
        """
        count = sum(self._connections.counts.values()) + coming
        self._loads.tell(self._number, count)
        return count - self._loads.least()

    def least(self) -> int:
        """The connections of the worker that has the fewest."""
        return self._loads.least()

    def _tell(self) -> None:
        self.lead(0)
