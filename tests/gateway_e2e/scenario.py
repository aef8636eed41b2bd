"""What must happen, step by step; each step raises AssertionError when something else does."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.waiting import wait_until

from .gateway import PAUSE, Answer
from .plugin import CRASH
from .testbed import Testbed

# Gateway 1.0.0 keeps a broken MCP client until it makes all of them anew, which it does every 30 s.
RECOVERY_LIMIT = 90.0
MASKED = {"text": "call *** now"}
VIOLATION = -32602
FAILURE = -32603


def boots(testbed: Testbed) -> None:
    """With the connector, the gateway starts before the plugin does, and needs no second start."""
    unanswered(testbed)
    testbed.plugin.start()
    redacted(testbed)


def redacted(testbed: Testbed) -> None:
    """An argument is redacted before the backend sees it."""
    answer = call(testbed, "call tango now")
    assert answer.error == ""
    assert testbed.backend.seen == [MASKED]
    assert "call *** now" in answer.text


def blocked(testbed: Testbed) -> None:
    """A forbidden call is blocked, and the backend is not called."""
    answer = call(testbed, "this is classified")
    assert (answer.code, testbed.backend.seen) == (VIOLATION, [])
    assert "Plugin Violation: It holds the forbidden word 'classified'." in answer.error


def failed(testbed: Testbed) -> None:
    """When the plugin fails, the call fails, and the backend is not called."""
    answer = call(testbed, CRASH)
    assert (answer.code, testbed.backend.seen) == (FAILURE, [])
    assert "Plugin Error" in answer.error


def down(testbed: Testbed) -> None:
    """When the plugin has been killed, no call gets past it to the backend, unless the connector is told to let it."""
    testbed.plugin.kill(testbed.gateway.process.pid)
    unanswered(testbed)


def recovers(testbed: Testbed) -> None:
    """After the plugin has been started again, calls succeed; with the connector, the first one does."""
    testbed.plugin.start()
    answers: list[Answer] = []

    def succeeds() -> bool:
        answers.append(call(testbed, "call tango now"))
        return not answers[-1].error

    limit = 0 if testbed.variant.unavailable else RECOVERY_LIMIT
    wait_until(succeeds, limit, lambda: f"calls still fail: {answers[-1]}", PAUSE)
    assert testbed.backend.seen == [MASKED]
    blocked(testbed)


def unanswered(testbed: Testbed) -> None:
    """A call that the plugin cannot be asked about."""
    answer = call(testbed, "call tango now")
    if testbed.variant.unavailable == "allow":
        assert (answer.error, testbed.backend.seen) == ("", [{"text": "call tango now"}])
    elif testbed.variant.unavailable == "deny":
        assert (answer.code, testbed.backend.seen) == (VIOLATION, [])
        assert "Plugin Violation: The plugin WordGuard cannot be reached" in answer.error
    else:
        # Over stdio the plugin is the gateway's child, and a gateway may start it again for this very call.
        started = testbed.variant.transport == "stdio" and not answer.error
        assert testbed.backend.seen == ([MASKED] if started else [])
        assert started or answer.error


def call(testbed: Testbed, text: str) -> Answer:
    """Call the tool; the backend's memory then holds this call only."""
    testbed.backend.seen.clear()
    return testbed.gateway.call(text)


STEPS: dict[str, Callable[[Testbed], None]] = {
    step.__name__: step for step in (boots, redacted, blocked, failed, down, recovers)
}
"""By name; each step leaves the testbed as the one after it needs it."""
