"""Calls that wait until the test lets them go on, in whatever process they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from .transport_clients import Answer, TransportClient
from .waiting import wait_until


class Gate:
    """Holds calls of the probe plugin back.

    Args:
        folder: where the named pipe is made; of this test alone.
    """

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "gate"
        os.mkfifo(self._pipe)

    def hold(self, lines: Sequence[TransportClient], count: int) -> list[Callable[[], Answer]]:
        """Send calls and wait until all of them have begun.

        Args:
            lines: the connections, which take turns.
            count: how many calls.

        Returns:
            What waits for each answer; `args["n"]` of the answer is its number.
        """
        args = {"pipe": str(self._pipe)}
        calls = [lines[number % len(lines)].send("wait", args | {"n": number}) for number in range(count)]
        wait_until(lambda: len(list(self._pipe.parent.glob("gate.*"))) == count)
        return calls

    def open(self) -> None:
        """Let the calls that wait go on."""
        self._pipe.open("w").close()
