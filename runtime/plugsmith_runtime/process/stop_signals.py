"""Stop signals: SIGINT and SIGTERM end a process in order, and a second one at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_ECHO_SECONDS = 1.0
"""A signal that follows another one so soon is its echo: a shell signals the process group, and make, which belongs to
it, passes the signal on to its child."""


@contextmanager
def stop_signals(
    on_stop: Callable[[signal.Signals], None], on_second: Callable[[signal.Signals], None]
) -> Iterator[None]:
    """Handle the stop signals of this process inside the block; in the main thread, with a running event loop.

    After the block they are ignored: the process ends, and a late signal must not change its exit code.

    Args:
        on_stop: called once, by the first signal.
        on_second: called by each further signal but the echo of the first.
    """
    loop = asyncio.get_running_loop()
    first: float | None = None

    def on_signal(number: signal.Signals) -> None:
        nonlocal first
        if first is None:
            first = loop.time()
            on_stop(number)
        elif loop.time() - first > _ECHO_SECONDS:
            on_second(number)

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        # Blocked meanwhile: between the handler and "ignore" stands the default, which kills.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
