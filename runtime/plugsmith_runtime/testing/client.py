"""Client of one plugin for tests, and the answers that it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..client import Client, new_context
from ..contract.hooks import PluginContext, PluginPayload
from ..tools.demo import is_right, load_cases


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to one call, as a gateway reads it.

    When the hook failed, all attributes but `error` and `reply` raise AssertionError with the text of the error.

    Attributes:
        reply: the whole reply: plugin_name, result or error, and context unless it is empty.
    """

    reply: dict[str, Any]

    @property
    def error(self) -> dict[str, Any] | None:
        """The error (message, plugin_name, code, details, mcp_error_code), or None when there is a result."""
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
        """Whether the gateway continues with the request."""
        return bool(self.result["continue_processing"])

    @property
    def payload(self) -> Any:
        """The modified payload, or None when the plugin changed nothing."""
        return self.result.get("modified_payload")

    @property
    def violation(self) -> dict[str, Any]:
        """The violation (reason, description, code, details), empty when the plugin does not block."""
        return self.result.get("violation") or {}

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the result."""
        return self.result.get("metadata") or {}

    @property
    def context(self) -> dict[str, Any]:
        """The context after the hook: state, metadata, global_context, as far as they are not empty."""
        return self.reply.get("context") or {}


class PluginClient:
    """Client of one plugin.

    Args:
        client: the connection to the server.
        plugin: the plugin's name.
    """

    def __init__(self, client: Client, plugin: str) -> None:
        self.client = client
        self.plugin = plugin

    async def call(
        self,
        hook: str,
        payload: PluginPayload | Mapping[str, Any],
        context: PluginContext | Mapping[str, Any] | None = None,
    ) -> Answer:
        """Call a hook.

        Args:
            hook: the hook's wire name.
            payload: the payload, as a model or as JSON values.
            context: the context of the request; None for that of a new request. To call again within a request, pass
                the context of the previous answer: `answer.context`.
        """
        sent = new_context() if context is None else _to_json_value(context)
        return Answer(await self.client.invoke(hook, self.plugin, _to_json_value(payload), sent))

    async def check_demo(self, path: Path) -> None:
        """Make the calls of `demo`, and fail when an answer is not the one that is expected.

        Args:
            path: the demo's cases, for example resources/demo.yaml.

        Raises:
            StartError: the file is missing, or does not fit.
        """
        for case in load_cases(path):
            answer = await self.call(case.hook, case.payload)
            assert is_right(case, answer.reply), f"{case.title}: {answer.reply}"


def _to_json_value(value: BaseModel | Mapping[str, Any]) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
