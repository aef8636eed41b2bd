"""Exponential backoff: doubling delays, their maximum, their jitter."""

from __future__ import annotations

from plugsmith_runtime.process.backoff import Backoff


def test_delays_double_up_to_the_maximum() -> None:
    backoff = Backoff(0.1, 30.0)
    assert [backoff.next_delay() for _ in range(11)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_a_reset_begins_again() -> None:
    backoff = Backoff(0.1, 30.0)
    for _ in range(5):
        backoff.next_delay()
    backoff.reset()
    assert [backoff.next_delay(), backoff.next_delay()] == [0.1, 0.2]


def test_jitter_leaves_a_share_of_each_delay_to_chance() -> None:
    drawn = []
    for _ in range(200):
        backoff = Backoff(0.1, 0.2, jitter=0.75)
        drawn.append((backoff.next_delay(), backoff.next_delay(), backoff.next_delay()))
    for delays, longest in zip(zip(*drawn, strict=True), (0.1, 0.2, 0.2), strict=True):
        assert all(longest / 4 <= delay <= longest for delay in delays)
        assert len(set(delays)) > 100
