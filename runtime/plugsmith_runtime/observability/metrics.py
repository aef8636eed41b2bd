"""Metrics of a server: of its calls, of its state, and of the certificates that it serves.

Calls are kept from the first one on, and counted when somebody asks or many have come. Nothing here imports
prometheus_client before it is needed.
"""

from __future__ import annotations

import asyncio
import calendar
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ..tls.files import FileState, file_state
from .calls import CallRecord, Outcome

if TYPE_CHECKING:
    from .instruments import Instruments

_PUBLISH_INTERVAL_SECONDS = 1.0
_LOAD_DELAY_SECONDS = 1.0
# Many calls are counted for a fraction of what each costs alone.
_RECORDS_PER_BATCH = 1000

_PEM_END = "-----END CERTIFICATE-----"
_DER_SEQUENCE, _DER_VERSION = 0x30, 0xA0
_DER_UTC_TIME = 0x17


class MetricsSource(Protocol):
    """Can be asked for metrics."""

    async def scrape(self, accept: str) -> tuple[str, bytes]:
        """Write all metrics in the format that an Accept header asks for: the content type, and the text."""


class StateSource(Protocol):
    """What is measured of a server beside its calls."""

    def plugins_running(self) -> Mapping[str, int]:
        """Calls in flight, by plugin."""

    def plugins_serving(self) -> Mapping[str, bool]:
        """Whether each plugin can do its work."""

    def open_connections(self) -> Mapping[str, int]:
        """Open connections, by transport."""


class Certificates:
    """The certificates of a server's transports.

    Args:
        files: the PEM files of the certificates, by transport.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._known: dict[str, tuple[FileState, float]] = {}

    def expiries(self) -> dict[str, float]:
        """The Unix time at which each transport's certificate expires."""
        for name, path in self._files.items():
            # A file that cannot be read is not served either: the former certificate stays, and so does its end.
            try:
                state = file_state(path)
                if state is not None and (name not in self._known or self._known[name][0] != state):
                    with open(path, encoding="ascii", errors="replace") as file:
                        self._known[name] = (state, not_after(file.read()))
            except (OSError, ValueError, IndexError):
                continue
        return {name: end for name, (_, end) in self._known.items()}


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


class MetricsFolder:
    """A private folder that exists inside `with`.

    Attributes:
        environ: the variables that name it to prometheus_client.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="plugins-metrics-")
        self.environ = {"PROMETHEUS_MULTIPROC_DIR": self._folder.name}

    def __enter__(self) -> MetricsFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def forget(self, worker: int, process: int) -> None:
        """Remove the gauges of a worker that has ended; its counters stay, and its successor goes on with them.

        Args:
            worker: the number of the worker.
            process: its process id, under which plugins have metrics of their own.
        """
        from prometheus_client import multiprocess

        # Without types in some of its releases.
        library: Any = multiprocess
        for owner in (worker, process):
            library.mark_process_dead(owner, self._folder.name)


def _instruments(build_info: Callable[[], Mapping[str, str]], worker: int | None) -> Instruments:
    from .instruments import Instruments

    return Instruments(build_info(), worker)


def not_after(pem: str) -> float:
    """The Unix time at which the first certificate of a PEM file expires.

    Python's ssl module tells it only of certificates that it verifies, and so not of one that has expired.

    Args:
        pem: the file's text.

    Raises:
        ValueError, IndexError: it holds no certificate.
    """
    before, mark, _ = pem.partition(_PEM_END)
    der = ssl.PEM_cert_to_DER_cert(before[before.rindex("-----BEGIN CERTIFICATE-----") :] + mark)
    # Certificate { tbsCertificate { version?, serialNumber, signature, issuer, validity { notBefore, notAfter } } }
    _, at, _ = _der_element(der, 0)
    _, at, _ = _der_element(der, at)
    if der[at] == _DER_VERSION:
        at = _der_element(der, at)[2]
    for _ in range(3):
        at = _der_element(der, at)[2]
    tag, at, _ = _der_element(der, at)
    if tag != _DER_SEQUENCE:
        raise ValueError("no certificate")
    tag, start, end = _der_element(der, _der_element(der, at)[2])
    text = der[start:end].decode("ascii")
    # %y has its turn of the century where X.509 wants it only until 2068: 1950 to 2049 are two digits there.
    if tag == _DER_UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return float(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))


def _der_element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of a DER element, and where its content begins and ends."""
    tag, size, start = der[at], der[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[at + 2 : start], "big")
    return tag, start, start + size
