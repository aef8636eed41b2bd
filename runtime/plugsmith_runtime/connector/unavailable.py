"""What becomes of a call when the plugin cannot be asked."""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from typing import Any, Literal

from ..errors import PlugsmithError

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 10.0


class Reason(StrEnum):
    """Why a plugin could not be asked; the codes of the violations that the gateway sees."""

    UNREACHABLE = "PLUGIN_UNREACHABLE"
    TIMEOUT = "PLUGIN_TIMEOUT"
    OVERLOADED = "PLUGIN_OVERLOADED"


_TEXTS = {
    Reason.UNREACHABLE: "cannot be reached",
    Reason.TIMEOUT: "did not answer in time",
    Reason.OVERLOADED: "has too much to do",
}


class UnavailableError(PlugsmithError):
    """A plugin could not be asked.

    Args:
        why: the kind of trouble.
        text: what happened, for the log.
    """

    def __init__(self, why: Reason, text: str) -> None:
        super().__init__(text)
        self.why = why


class UnavailablePolicy:
    """Blocks such calls, or lets them pass, and says so in the log.

    Args:
        plugin: the name of the entry in the gateway's plugins file.
        choice: what to do.
    """

    def __init__(self, plugin: str, choice: Literal["deny", "allow"]) -> None:
        self._plugin = plugin
        self._choice = choice
        self._said = float("-inf")
        self._calls = 0

    def result(self, hook: str, problem: UnavailableError) -> dict[str, Any]:
        """The data of the result that stands in for the plugin's."""
        self._say(hook, problem)
        if self._choice == "allow":
            return {"continue_processing": True, "metadata": {f"{self._plugin}.unavailable": problem.why.value}}
        violation = {
            "reason": "Plugin unavailable",
            "description": f"The plugin {self._plugin} {_TEXTS[problem.why]}",
            "code": problem.why.value,
            "details": {"hook": hook},
        }
        return {"continue_processing": False, "violation": violation}

    def _say(self, hook: str, problem: UnavailableError) -> None:
        """Write the first call and then one line in a while: a dead plugin must not fill the log."""
        self._calls += 1
        now = time.monotonic()
        if now - self._said >= _QUIET_SECONDS:
            done = "passed without it" if self._choice == "allow" else "blocked"
            logger.warning(
                "plugin %s was not asked about %s (%s: %s): %s calls %s",
                self._plugin, hook, problem.why.value, problem, self._calls, done,
            )  # fmt: skip
            self._said, self._calls = now, 0
