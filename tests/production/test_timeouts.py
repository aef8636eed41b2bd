"""A hook over its time limit: its caller is told so, and no later call gets its answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve_one
from tests.support.transport_clients import Answer, ConnectionLostError, connect_client

SCHEMES = ["http", "http+unix", "stdio", "grpc", "grpc+unix", "unix"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_next_call_gets_its_own_answer_or_none(
    rendered: RenderedPlugin, config: Path, pb: Any, short_path: Path, scheme: str
) -> None:
    options = ("--config", str(config), "--hook-timeout", "0.3")
    with serve_one(rendered, scheme, short_path, *options) as served, connect_client(served, scheme, pb) as line:
        # The second one swallows its cancellation and comes to an end after all, when its caller was told already.
        for behaviour in ("sleep", "stubborn"):
            try:
                assert line.call(behaviour, seconds=2).error == "HOOK_TIMEOUT"
            except ConnectionLostError:
                break
            for number in range(3):
                if own_or_none(line.send, number) is None:
                    break
        if scheme != "stdio":
            with connect_client(served, scheme, pb) as other:
                assert other.call("echo", n=1).args == {"n": 1}


def own_or_none(send: Callable[[str, dict[str, Any]], Callable[[], Answer]], number: int) -> Any:
    """What a call is answered; None when the connection is closed."""
    try:
        args = send("sleep", {"seconds": 0.1, "n": number})().args
    except ConnectionLostError:
        return None
    assert args == {"seconds": 0.1, "n": number}
    return args
