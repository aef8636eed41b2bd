"""Collection of metrics: calls are kept from the first one on, and counted when somebody asks or many have come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from ..events import CallRecord, Outcome
from .certificates import Certificates

if TYPE_CHECKING:
    from .instruments import Instruments

_PUBLISH_INTERVAL_SECONDS = 1.0
_LOAD_DELAY_SECONDS = 1.0
# Many calls are counted for a fraction of what each costs alone.
_RECORDS_PER_BATCH = 1000


class StateSource(Protocol):
    """What is measured of a server beside its calls."""

    def plugins_running(self) -> Mapping[str, int]:
        """Calls in flight, by plugin."""

    def plugins_serving(self) -> Mapping[str, bool]:
        """Whether each plugin can do its work."""

    def open_connections(self) -> Mapping[str, int]:
        """Open connections, by transport."""


class Metrics:
    """The metrics of one process, or, with several workers, of all of them; an observer and a source of metrics.

    To import prometheus_client takes longer than to start the server. So calls are kept in a list until it is loaded,
    by a thread, a moment after the start or when somebody asks.

    Args:
        build_info: says what runs here, as labels; called in a thread.
        certificates: the certificates that are served.
        worker: the number of this worker, which a later worker takes over; None when the server is one process.
    """

    outcomes = frozenset(Outcome)

    def __init__(
        self, build_info: Callable[[], Mapping[str, str]], certificates: Certificates, worker: int | None = None
    ) -> None:
        self._build_info = build_info
        self._certificates = certificates
        self._worker = worker
        self._source: StateSource | None = None
        # Set by whoever starts the workers, with the name that prometheus_client knows.
        self._shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._records: list[CallRecord] = []
        self._instruments: Instruments | None = None
        self._loading: asyncio.Task[Instruments] | None = None
        self._scraping = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None

    def done(self, record: CallRecord) -> None:
        """Count a call; see Observer."""
        self._records.append(record)
        # A worker that dies takes with it what it has not written to the shared files.
        if self._instruments is not None and (self._shared or len(self._records) >= _RECORDS_PER_BATCH):
            self._count(self._instruments)

    def start(self, source: StateSource) -> None:
        """Load what is needed once the server has nothing better to do; call it in the event loop.

        Args:
            source: what is measured beside calls.
        """
        self._source = source
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(0.0 if self._shared else _LOAD_DELAY_SECONDS, self._load)

    async def scrape(self, accept: str) -> tuple[str, bytes]:
        """Write all metrics in the best format that a client takes; see MetricsSource.

        Args:
            accept: the Accept header of the request.

        Returns:
            The content type and the text.
        """
        instruments = await self._load()
        self._count(instruments)
        # One at a time, in a thread: with many series it takes longer than a call may wait.
        async with self._scraping:
            self._measure(instruments)
            return await asyncio.to_thread(instruments.text, accept)

    def stop(self) -> None:
        """End what runs in the background."""
        if self._timer is not None:
            self._timer.cancel()
        if self._loading is not None:
            self._loading.cancel()

    def _load(self) -> asyncio.Task[Instruments]:
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._make())
        return self._loading

    async def _make(self) -> Instruments:
        instruments = await asyncio.to_thread(_instruments, self._build_info, self._worker)
        self._count(instruments)
        self._instruments = instruments
        if self._shared:
            self._publish()
        return instruments

    def _count(self, instruments: Instruments) -> None:
        instruments.count(self._records)
        self._records.clear()

    def _publish(self) -> None:
        """Write the state of this worker where the others find it, again and again."""
        if self._instruments is not None:
            self._measure(self._instruments)
        self._timer = asyncio.get_running_loop().call_later(_PUBLISH_INTERVAL_SECONDS, self._publish)

    def _measure(self, instruments: Instruments) -> None:
        source = self._source
        if source is not None:
            instruments.measure(source.plugins_running(), source.plugins_serving(), source.open_connections())
        instruments.measure_certificates(self._certificates.expiries())


def _instruments(build_info: Callable[[], Mapping[str, str]], worker: int | None) -> Instruments:
    from .instruments import Instruments

    return Instruments(build_info(), worker)
