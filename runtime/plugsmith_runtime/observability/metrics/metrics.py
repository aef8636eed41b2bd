"""Collects calls from the first one on, and counts them when somebody asks, or when many have come together."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ...host.host import Host
from ...plugin_server.settings import ServerSettings
from ..events import CallRecord, Outcome
from .certificates import Certificates
from .state import State

if TYPE_CHECKING:
    from .instruments import Instruments

_BEAT = 1.0
# Many calls are counted for a fraction of what each costs alone.
_MANY = 1000


class Metrics:
    """The metrics of one process, or, with several workers, of all of them.

    To import prometheus_client takes longer than to start the server. So calls are kept in a list until it is loaded,
    by a thread, a moment after the start or when somebody asks.

    Args:
        host: the host whose calls are counted; it is told where its metrics are.
        settings: which certificates are served.
        worker: the number of this worker, which a later worker takes over; None when the server is one process.
    """

    outcomes = frozenset(Outcome)

    def __init__(self, host: Host, settings: ServerSettings, worker: int | None = None) -> None:
        self._host = host
        self._certificates = Certificates(settings)
        self._package = settings.package
        self._worker = worker
        # Set by whoever starts the workers, with the name that prometheus_client knows.
        self._shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._collected: list[CallRecord] = []
        self._instruments: Instruments | None = None
        self._loading: asyncio.Task[Instruments] | None = None
        self._scraping = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        host.observers.append(self)
        host.metrics = self

    def done(self, record: CallRecord) -> None:
        """Count a call; see Observer."""
        self._collected.append(record)
        # A worker that dies takes with it what it has not written to the shared files.
        if self._instruments is not None and (self._shared or len(self._collected) >= _MANY):
            self._count(self._instruments)

    def start(self) -> None:
        """Load what is needed once the server has nothing better to do; call it in the event loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(0.0 if self._shared else _BEAT, self._load)

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
            instruments.show(self._state())
            return await asyncio.to_thread(instruments.text, accept)

    def stop(self) -> None:
        """End what runs in the background."""
        if self._timer is not None:
            self._timer.cancel()
        if self._loading is not None:
            self._loading.cancel()

    def _load(self) -> asyncio.Task[Instruments]:
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._begin())
        return self._loading

    async def _begin(self) -> Instruments:
        instruments = await asyncio.to_thread(_make, self._package, self._worker)
        self._count(instruments)
        self._instruments = instruments
        if self._shared:
            self._beat()
        return instruments

    def _count(self, instruments: Instruments) -> None:
        instruments.count(self._collected)
        self._collected.clear()

    def _beat(self) -> None:
        """Write the state of this worker where the others find it."""
        if self._instruments is not None:
            self._instruments.show(self._state())
        self._timer = asyncio.get_running_loop().call_later(_BEAT, self._beat)

    def _state(self) -> State:
        return State(
            running=self._host.plugins_running(),
            serving=self._host.plugins_serving(),
            connections=self._host.connections.read(),
            expiries=self._certificates.expiries(),
        )


def _make(package: str, worker: int | None) -> Instruments:
    from .instruments import Instruments

    return Instruments(package, worker)
