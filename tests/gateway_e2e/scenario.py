"""What must happen, step by step; each step raises AssertionError when something else does."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.waiting import until

from .gateway import PAUSE, Answer
from .plugin import CRASH
from .stage import Stage

RECOVERY_LIMIT = 30.0
MASKED = {"text": "call *** now"}
VIOLATION = -32602
FAILURE = -32603


def redacted(stage: Stage) -> None:
    """An argument is redacted before the backend sees it."""
    answer = call(stage, "call tango now")
    assert answer.error == ""
    assert stage.backend.seen == [MASKED]
    assert "call *** now" in answer.text


def blocked(stage: Stage) -> None:
    """A forbidden call is blocked, and the backend is not called."""
    answer = call(stage, "this is classified")
    assert (answer.code, stage.backend.seen) == (VIOLATION, [])
    assert "Plugin Violation: It holds the forbidden word 'classified'." in answer.error


def failed(stage: Stage) -> None:
    """When the plugin fails, the call fails, and the backend is not called."""
    answer = call(stage, CRASH)
    assert (answer.code, stage.backend.seen) == (FAILURE, [])
    assert "Plugin Error" in answer.error


def down(stage: Stage) -> None:
    """When the plugin has been killed, no call gets past it to the backend."""
    stage.plugin.kill(stage.gateway.process.pid)
    answer = call(stage, "call tango now")
    # Over stdio the plugin is the gateway's child, and a gateway may start it again for this very call.
    started = stage.way.transport == "stdio" and not answer.error
    assert stage.backend.seen == ([MASKED] if started else [])
    assert started or answer.error


def recovers(stage: Stage) -> None:
    """After the plugin has been started again, calls succeed."""
    stage.plugin.start()
    answers: list[Answer] = []

    def succeeds() -> bool:
        answers.append(call(stage, "call tango now"))
        return not answers[-1].error

    until(succeeds, RECOVERY_LIMIT, lambda: f"calls still fail: {answers[-1]}", PAUSE)
    assert stage.backend.seen == [MASKED]
    blocked(stage)


def call(stage: Stage, text: str) -> Answer:
    """Call the tool; the backend's memory then holds this call only."""
    stage.backend.seen.clear()
    return stage.gateway.call(text)


STEPS: dict[str, Callable[[Stage], None]] = {
    step.__name__: step for step in (redacted, blocked, failed, down, recovers)
}
"""By name; each step leaves the stage as the one after it needs it."""
