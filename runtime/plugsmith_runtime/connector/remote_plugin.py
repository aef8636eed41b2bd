"""The gateway's plugin that asks a plugin server."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..errors import EncodeError, StartError
from ..host.errors import ErrorCode
from . import links
from .config import read_config
from .connecting import check_packages
from .framework import find_framework
from .incoming import plugin_error, read_result, take_back
from .link import RemoteConnection
from .metrics import CallMetrics
from .outgoing import context_data, payload_data
from .tracing import add_trace
from .unavailable import Reason, UnavailableError, UnavailablePolicy

logger = logging.getLogger(__name__)

_framework = find_framework()
_LEARN_SECONDS = 30.0
"""After this time the plugin is asked again which hooks it has: over http a restart can go unnoticed."""
_BUSY = {ErrorCode.OVERLOADED: Reason.OVERLOADED, ErrorCode.PLUGIN_UNAVAILABLE: Reason.UNREACHABLE}

if TYPE_CHECKING:

    class _GatewayPlugin:
        """What the plugin classes of all frameworks have."""

        name: str
        config: Any

        def __init__(self, config: Any) -> None: ...

else:
    _GatewayPlugin = _framework.plugin


class RemotePlugin(_GatewayPlugin):
    """Carries the hooks of an entry of the gateway's plugins file to a plugin server.

    Args:
        config: the entry; its `config` holds the settings of `ConnectorConfig`.

    Raises:
        StartError: a setting is missing, unknown or wrong, or a package is missing.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._settings = read_config(config.name, config.config)
        check_packages(self._settings)
        self._remote = self._settings.plugin or config.name
        self._fallback = UnavailablePolicy(config.name, self._settings.on_unavailable)
        self._metrics = CallMetrics(config.name)
        self._link: RemoteConnection | None = None
        # The hooks that the server's plugin has, as of the link's generation; None: not known yet.
        self._hooks: frozenset[str] | None = None
        self._generation = 0
        self._learn_again = math.inf

    def __getattr__(self, name: str) -> Any:
        """The method of a hook: every hook that the release knows has one."""
        if name.startswith("_") or not _framework.registry.is_registered(name):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        method = self._method(name)
        setattr(self, name, method)
        return method

    async def initialize(self) -> None:
        """Connect; without a server, the gateway starts all the same unless the settings require one.

        Raises:
            StartError: the server is required and cannot be reached.
        """
        self._link = links.acquire(self._settings.link, self)
        try:
            await self._link.start()
            await self._learn(self._link)
        except UnavailableError as error:
            if self._settings.required_at_start:
                await self.shutdown()
                raise StartError(f"plugin {self.name}: {self._settings.endpoint}: {error}") from error
            logger.warning("plugin %s is not up yet: %s", self.name, error)

    async def shutdown(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link = None
            await links.release(self._settings.link, self)

    def _method(self, hook: str) -> Callable[[Any, Any], Awaitable[Any]]:
        async def call(payload: Any, context: Any) -> Any:
            return await self._call(hook, payload, context)

        call.__name__ = hook
        return call

    async def _call(self, hook: str, payload: Any, context: Any) -> Any:
        link, began = self._link, time.perf_counter()
        if link is None:
            await self.initialize()
            link = self._link
            assert link is not None
        try:
            if self._generation != link.generation or began > self._learn_again:
                await self._learn(link)
            if self._hooks is not None and hook not in self._hooks:
                self._metrics.count(hook, "skipped")
                return self._result(hook, {"continue_processing": True})
            sent, sent_context = payload_data(payload), context_data(context)
            add_trace(sent_context)

            async def ask(client: Client) -> dict[str, Any]:
                return await client.invoke(hook, self._remote, sent, sent_context)

            reply = await link.call(ask)
            if error := reply.get("error"):
                if why := _BUSY.get(error.get("code")):
                    raise UnavailableError(why, error.get("message") or "")
                raise plugin_error(_framework, self.name, error)
            if changes := reply.get("context"):
                take_back(context, sent_context, changes)
            result = read_result(_framework, hook, self.name, payload, sent, reply["result"])
        except UnavailableError as problem:
            self._metrics.count(hook, "unavailable", time.perf_counter() - began)
            return self._result(hook, self._fallback.result(hook, problem))
        except EncodeError as problem:
            self._metrics.count(hook, "error", time.perf_counter() - began)
            error = {"message": f"{hook} cannot be sent to the plugin: {problem}", "code": ErrorCode.UNREPRESENTABLE}
            raise plugin_error(_framework, self.name, error) from problem
        except Exception:
            self._metrics.count(hook, "error", time.perf_counter() - began)
            raise
        outcome = "allowed" if result.modified_payload is None else "modified"
        self._metrics.count(hook, outcome if result.continue_processing else "blocked", time.perf_counter() - began)
        return result

    async def _learn(self, link: RemoteConnection) -> None:
        """Ask which hooks the plugin has.

        Raises:
            UnavailableError: it cannot be asked, and was another one when it last told.
        """
        generation, remote = link.generation, self._remote

        async def ask(client: Client) -> dict[str, Any] | None:
            return await client.plugin_config(remote)

        # Set first: of the calls in flight one asks.
        self._learn_again = time.perf_counter() + _LEARN_SECONDS
        try:
            config = await link.call(ask)
        except UnavailableError:
            if self._generation != generation:
                raise
            return
        if config is None:
            logger.error("plugin %s: the server at %s has no plugin %s", self.name, self._settings.endpoint, remote)
        self._hooks = frozenset(config["hooks"]) if config and config.get("hooks") else None
        self._generation = generation

    def _result(self, hook: str, data: dict[str, Any]) -> Any:
        model = _framework.registry.get_result_type(hook)
        assert model is not None, hook
        return model.model_validate(data)
