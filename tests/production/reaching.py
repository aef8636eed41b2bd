"""Reaching every worker of a server."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from tests.support.conversations import Conversation, converse
from tests.support.processes import children
from tests.support.serving import Served

MOST = 200


def reach_all(served: Served, scheme: str, pb: Any, held: ExitStack) -> list[Conversation]:
    """Connect until every worker has a connection; the kernel chooses one for each.

    Args:
        served: a server with workers.
        scheme: the endpoint.
        pb: the messages of the contract.
        held: closes the connections.
    """
    missing = set(children(served.process.pid))
    lines: list[Conversation] = []
    while missing:
        assert len(lines) < MOST, f"of {MOST} connections none came to {missing}"
        lines.append(held.enter_context(converse(served, scheme, pb)))
        missing.discard(lines[-1].process())
    return lines
