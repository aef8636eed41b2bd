"""What must happen, step by step; each step raises AssertionError when something else does."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.waiting import wait_until

from .gateway import PAUSE, Answer
from .plugin import CRASH
from .stage import Stage

# Gateway 1.0.0 keeps a broken MCP client until it makes all of them anew, which it does every 30 s.
RECOVERY_LIMIT = 90.0
MASKED = {"text": "call *** now"}
VIOLATION = -32602
FAILURE = -32603


def boots(stage: Stage) -> None:
    """With the connector, the gateway starts before the plugin does, and needs no second start."""
    unanswered(stage)
    stage.plugin.start()
    redacted(stage)


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
    """When the plugin has been killed, no call gets past it to the backend, unless the connector is told to let it."""
    stage.plugin.kill(stage.gateway.process.pid)
    unanswered(stage)


def recovers(stage: Stage) -> None:
    """After the plugin has been started again, calls succeed; with the connector, the first one does."""
    stage.plugin.start()
    answers: list[Answer] = []

    def succeeds() -> bool:
        answers.append(call(stage, "call tango now"))
        return not answers[-1].error

    limit = 0 if stage.way.unavailable else RECOVERY_LIMIT
    wait_until(succeeds, limit, lambda: f"calls still fail: {answers[-1]}", PAUSE)
    assert stage.backend.seen == [MASKED]
    blocked(stage)


def unanswered(stage: Stage) -> None:
    """A call that the plugin cannot be asked about."""
    answer = call(stage, "call tango now")
    if stage.way.unavailable == "allow":
        assert (answer.error, stage.backend.seen) == ("", [{"text": "call tango now"}])
    elif stage.way.unavailable == "deny":
        assert (answer.code, stage.backend.seen) == (VIOLATION, [])
        assert "Plugin Violation: The plugin WordGuard cannot be reached" in answer.error
    else:
        # Over stdio the plugin is the gateway's child, and a gateway may start it again for this very call.
        started = stage.way.transport == "stdio" and not answer.error
        assert stage.backend.seen == ([MASKED] if started else [])
        assert started or answer.error


def call(stage: Stage, text: str) -> Answer:
    """Call the tool; the backend's memory then holds this call only."""
    stage.backend.seen.clear()
    return stage.gateway.call(text)


STEPS: dict[str, Callable[[Stage], None]] = {
    step.__name__: step for step in (boots, redacted, blocked, failed, down, recovers)
}
"""By name; each step leaves the stage as the one after it needs it."""
