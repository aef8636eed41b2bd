"""What must happen, step by step; each step raises AssertionError when something else does."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.waiting import wait_until

from .deployment import Deployment
from .gateway import PAUSE, Answer
from .plugin import CRASH

# Gateway 1.0.0 keeps a broken MCP client until it makes all of them anew, which it does every 30 s.
RECOVERY_LIMIT = 90.0
MASKED = {"text": "call *** now"}
VIOLATION = -32602
FAILURE = -32603


def boots(deployment: Deployment) -> None:
    """With the connector, the gateway starts before the plugin does, and needs no second start."""
    unanswered(deployment)
    deployment.plugin.start()
    redacted(deployment)


def redacted(deployment: Deployment) -> None:
    """An argument is redacted before the backend sees it."""
    answer = call(deployment, "call tango now")
    assert answer.error == ""
    assert deployment.backend.seen == [MASKED]
    assert "call *** now" in answer.text


def blocked(deployment: Deployment) -> None:
    """A forbidden call is blocked, and the backend is not called."""
    answer = call(deployment, "this is classified")
    assert (answer.code, deployment.backend.seen) == (VIOLATION, [])
    assert "Plugin Violation: It holds the forbidden word 'classified'." in answer.error


def failed(deployment: Deployment) -> None:
    """When the plugin fails, the call fails, and the backend is not called."""
    answer = call(deployment, CRASH)
    assert (answer.code, deployment.backend.seen) == (FAILURE, [])
    assert "Plugin Error" in answer.error


def down(deployment: Deployment) -> None:
    """When the plugin has been killed, no call gets past it to the backend, unless the connector is told to let it."""
    deployment.plugin.kill(deployment.gateway.process.pid)
    unanswered(deployment)


def recovers(deployment: Deployment) -> None:
    """After the plugin has been started again, calls succeed; with the connector, the first one does."""
    deployment.plugin.start()
    answers: list[Answer] = []

    def succeeds() -> bool:
        answers.append(call(deployment, "call tango now"))
        return not answers[-1].error

    limit = 0 if deployment.variant.unavailable else RECOVERY_LIMIT
    wait_until(succeeds, limit, lambda: f"calls still fail: {answers[-1]}", PAUSE)
    assert deployment.backend.seen == [MASKED]
    blocked(deployment)


def unanswered(deployment: Deployment) -> None:
    """A call that the plugin cannot be asked about."""
    answer = call(deployment, "call tango now")
    if deployment.variant.unavailable == "allow":
        assert (answer.error, deployment.backend.seen) == ("", [{"text": "call tango now"}])
    elif deployment.variant.unavailable == "deny":
        assert (answer.code, deployment.backend.seen) == (VIOLATION, [])
        assert "Plugin Violation: The plugin WordGuard cannot be reached" in answer.error
    else:
        # Over stdio the plugin is the gateway's child, and a gateway may start it again for this very call.
        started = deployment.variant.transport == "stdio" and not answer.error
        assert deployment.backend.seen == ([MASKED] if started else [])
        assert started or answer.error


def call(deployment: Deployment, text: str) -> Answer:
    """Call the tool; the backend's memory then holds this call only."""
    deployment.backend.seen.clear()
    return deployment.gateway.call(text)


STEPS: dict[str, Callable[[Deployment], None]] = {
    step.__name__: step for step in (boots, redacted, blocked, failed, down, recovers)
}
"""By name; each step leaves the deployment as the one after it needs it."""
