"""Calls of one plugin, over whatever leads to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ...client import Client
from ...client.context import new_context
from ...contract.hooks import PluginContext, PluginPayload
from .answers import Answer


class PluginClient:
    """Calls one plugin.

    Args:
        client: leads to the server.
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
        """Run a hook.

        Args:
            hook: the hook's wire name.
            payload: the payload, as a model or as plain data.
            context: the context of the request; that of a new request when None. To call again within a request, give
                the context of the answer before: `answer.context`.
        """
        sent = new_context() if context is None else _plain(context)
        return Answer(await self.client.invoke(hook, self.plugin, _plain(payload), sent))


def _plain(value: BaseModel | Mapping[str, Any]) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
