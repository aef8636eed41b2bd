"""The monitor of loop stalls: when bytes that are read after one can have been received, and what ticks do."""

from __future__ import annotations

import asyncio
import time

import pytest
from plugsmith_runtime.net.deadlines import LoopStallMonitor

STALL = 2.5


@pytest.mark.asyncio
async def test_bytes_that_are_read_after_a_stall_may_have_come_at_its_begin() -> None:
    loop = asyncio.get_running_loop()
    ticks: list[float] = []
    ticked = asyncio.Event()

    def on_tick(now: float) -> None:
        ticks.append(now)
        ticked.set()

    monitor = LoopStallMonitor(on_tick)
    began = loop.time()
    assert monitor.received_at(began) == began
    # Nothing else of the loop runs meanwhile: this is the stall.
    time.sleep(STALL)
    now = loop.time()
    assert monitor.received_at(now) <= began
    await asyncio.sleep(0)
    # The tick that ends the stall is not passed on, and what is read in the same rounds counts as before.
    assert not ticks
    assert monitor.received_at(loop.time()) <= began
    await asyncio.wait_for(ticked.wait(), 5.0)
    now = loop.time()
    assert monitor.received_at(now) == now
    monitor.stop()
