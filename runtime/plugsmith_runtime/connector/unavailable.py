"""Policy for calls that the plugin cannot be asked about: block them, or let them pass."""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from typing import Any, Literal

from ..errors import PlugsmithError

logger = logging.getLogger(__name__)

_LOG_INTERVAL_SECONDS = 10.0


class Reason(StrEnum):
    """Reason why a plugin could not be asked; the code of the violation that the gateway sees."""

    UNREACHABLE = "PLUGIN_UNREACHABLE"
    TIMEOUT = "PLUGIN_TIMEOUT"
    OVERLOADED = "PLUGIN_OVERLOADED"
    MISCONFIGURED = "PLUGIN_MISCONFIGURED"


_DESCRIPTIONS = {
    Reason.UNREACHABLE: "cannot be reached",
    Reason.TIMEOUT: "did not answer in time",
    Reason.OVERLOADED: "has too much to do",
    Reason.MISCONFIGURED: "is not configured as it must be; the gateway's log has the reason",
}


class UnavailableError(PlugsmithError):
    """A plugin that could not be asked.

    Args:
        reason: the reason, for the gateway.
        text: what happened, for the log.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class UnavailablePolicy:
    """Policy of one entry: makes the result of a call that the plugin was not asked about, and logs it.

    Args:
        plugin: the name of the entry in the gateway's plugins file.
        choice: "deny" blocks the call, "allow" lets it pass.
    """

    def __init__(self, plugin: str, choice: Literal["deny", "allow"]) -> None:
        self._plugin = plugin
        self._choice = choice
        self._logged_at = float("-inf")
        self._calls = 0

    @property
    def action(self) -> str:
        """What becomes of the calls, for the log."""
        return "passed without it" if self._choice == "allow" else "blocked"

    def result(self, hook: str, error: UnavailableError) -> dict[str, Any]:
        """The data of the result that stands in for the plugin's."""
        self._log(hook, error)
        if self._choice == "allow":
            return {"continue_processing": True, "metadata": {f"{self._plugin}.unavailable": error.reason.value}}
        violation = {
            "reason": "Plugin unavailable",
            "description": f"The plugin {self._plugin} {_DESCRIPTIONS[error.reason]}",
            "code": error.reason.value,
            "details": {"hook": hook},
        }
        return {"continue_processing": False, "violation": violation}

    def _log(self, hook: str, error: UnavailableError) -> None:
        """Log the first call, then at most one line per interval: a plugin that is down must not fill the log."""
        self._calls += 1
        now = time.monotonic()
        if now - self._logged_at >= _LOG_INTERVAL_SECONDS:
            logger.warning(
                "plugin %s was not asked about %s (%s: %s): %s calls %s",
                self._plugin, hook, error.reason.value, error, self._calls, self.action,
            )  # fmt: skip
            self._logged_at, self._calls = now, 0
