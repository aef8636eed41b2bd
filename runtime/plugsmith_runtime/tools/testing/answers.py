"""What came back from a hook, in the words of a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one call, as a gateway reads it.

    All but `error` and `reply` fail the test, with the error's text, when the hook failed.

    Attributes:
        reply: the whole reply: plugin_name, result or error, context when it carries anything.
    """

    reply: dict[str, Any]

    @property
    def error(self) -> dict[str, Any] | None:
        """The error (message, plugin_name, code, details, mcp_error_code), None when there is a result."""
        found: dict[str, Any] | None = self.reply.get("error")
        return found

    @property
    def result(self) -> dict[str, Any]:
        """The result as it travels."""
        if self.error is not None:
            raise AssertionError(f"the hook failed: {self.error['code']}: {self.error['message']}")
        found: dict[str, Any] = self.reply["result"]
        return found

    @property
    def allowed(self) -> bool:
        """Whether the gateway goes on."""
        return bool(self.result["continue_processing"])

    @property
    def payload(self) -> Any:
        """The payload that the plugin made of the one that it got; None when it changed nothing."""
        return self.result.get("modified_payload")

    @property
    def violation(self) -> dict[str, Any]:
        """Why the plugin blocks: reason, description, code, details; empty when it does not."""
        return self.result.get("violation") or {}

    @property
    def metadata(self) -> dict[str, Any]:
        """What the plugin says about its result."""
        return self.result.get("metadata") or {}

    @property
    def context(self) -> dict[str, Any]:
        """The context after the hook: state, metadata, global_context; empty when it carries nothing."""
        return self.reply.get("context") or {}
