"""10,000 bad inputs on each transport leave the server answering, and its memory within a bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.processes import resident
from tests.support.rendering import RenderedPlugin
from tests.support.serving import START_LIMIT, serve
from tests.support.transport_clients import connect_client

from .fuzzing import shapes
from .fuzzing.targets import MAX_BYTES, Target

BYTES, SHAPES = 9000, 1000
WARM_UP = 500
MEMORY = 16_000_000
"""What the server may have grown by, after it has seen a little of everything."""

many = settings(
    max_examples=SHAPES // 10, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip


@pytest.fixture(scope="module", params=["http", "stdio", "grpc", "unix"])
def target(
    request: pytest.FixtureRequest, rendered: RenderedPlugin, config: Path, pb: Any, pb2: Any
) -> Iterator[Target]:
    """A server with a low limit for messages; it must never say that something failed inside itself."""
    scheme = request.param
    options = ("--config", str(config), "--grpc-uds", "")
    with serve(rendered, scheme, *options, PLUGINS_MAX_MESSAGE_BYTES=str(MAX_BYTES)) as served:
        yield Target(served, scheme, pb, pb2)
        with connect_client(served, scheme, pb) as line:
            assert line.call("echo", n=1).args == {"n": 1}
        if scheme == "stdio":
            # It ends with its input: a signal on top could only come too late.
            served.process.wait(START_LIMIT)
    assert served.process.returncode == 0
    problems = [at for at, line in enumerate(served.log) if "inside the server" in line or " asyncio" in line]
    assert not problems, "".join(served.log[problems[0] :][:20])


def test_bad_bytes(target: Target, pb: Any) -> None:
    target.send_bytes(WARM_UP, seed=20260301)
    before = resident(target.served.process.pid)
    target.send_bytes(BYTES, seed=20260302)
    grown = resident(target.served.process.pid) - before
    assert grown < MEMORY
    if target.scheme != "stdio":
        with connect_client(target.served, target.scheme, pb) as line:
            assert line.call("echo", n=1).args == {"n": 1}


@many
@given(st.data())
def test_messages_of_any_shape(target: Target, data: st.DataObject) -> None:
    as_json = target.scheme in ("http", "stdio")
    target.send_shapes(data.draw(shapes.batches if as_json else shapes.hook_batches))
