"""Gateway plugin whose hooks run on a plugin server."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..errors import EncodeError, StartError
from ..host.errors import ErrorCode
from .codec import add_trace, decode_error, decode_result, encode_context, encode_payload, update_context
from .config import ConnectorConfig, check_packages, read_config, read_policy
from .connection import CONNECTIONS, RemoteConnection
from .framework import find_framework, gateway_stops_on_error
from .metrics import CallMetrics
from .unavailable import Reason, UnavailableError, UnavailablePolicy

logger = logging.getLogger(__name__)

_framework = find_framework()

_HOOKS_REFRESH_SECONDS = 30.0
"""Age after which the connector asks again which hooks the plugin has: over http a restart can go unnoticed."""

_UNAVAILABLE_CODES = {ErrorCode.OVERLOADED: Reason.OVERLOADED, ErrorCode.PLUGIN_UNAVAILABLE: Reason.UNREACHABLE}

if TYPE_CHECKING:

    class _GatewayPlugin:
        """The part of a framework's plugin class that the connector uses."""

        name: str
        config: Any

        def __init__(self, config: Any) -> None: ...

else:
    _GatewayPlugin = _framework.plugin


class RemotePlugin(_GatewayPlugin):
    """Gateway plugin that carries the hooks of an entry in the plugins file to a plugin server.

    A gateway that is not told to stop on plugin errors goes on without a plugin that fails to start, and its calls
    pass. So whatever is wrong here, the plugin starts there, and `on_unavailable` decides about its calls.

    Args:
        config: the entry; its own `config` holds the settings of `ConnectorConfig`.

    Raises:
        StartError: a setting is missing, unknown or wrong, or a package is missing; in a gateway that stops for it.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._settings: ConnectorConfig | None = None
        self._start_error: StartError | None = None
        self._policy = UnavailablePolicy(config.name, read_policy(config.config))
        try:
            self._settings = read_config(config.name, config.config)
            check_packages(self._settings)
        except StartError as error:
            self._fail_start(error)
        self._remote_name = (self._settings and self._settings.plugin) or config.name
        self._metrics = CallMetrics(config.name)
        self._connection: RemoteConnection | None = None
        # The hooks of the server's plugin, as of this generation of the connection; None when they are not known.
        self._hooks: frozenset[str] | None = None
        self._generation = 0
        self._refresh_hooks_at = math.inf

    def __getattr__(self, name: str) -> Any:
        """The method of a hook: there is one for every hook that this release of the framework knows."""
        if name.startswith("_") or not _framework.registry.is_registered(name):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        method = self._method(name)
        setattr(self, name, method)
        return method

    async def initialize(self) -> None:
        """Connect. While the server is down, the gateway starts all the same, unless the settings require the server.

        Raises:
            StartError: the settings require the server, it cannot be reached, and the gateway stops for it.
        """
        if self._settings is None:
            return
        self._connection = CONNECTIONS.acquire(self._settings.connection, self)
        try:
            await self._connection.start()
            await self._refresh_hooks(self._connection)
        except UnavailableError as error:
            if self._settings.required_at_start and gateway_stops_on_error():
                await self.shutdown()
                raise StartError(f"plugin {self.name}: {self._settings.endpoint}: {error}") from error
            logger.warning("plugin %s is not up yet: %s", self.name, error)

    async def shutdown(self) -> None:
        """Release the connection; the last plugin that shares it closes it."""
        if self._settings is not None and self._connection is not None:
            self._connection = None
            await CONNECTIONS.release(self._settings.connection, self)

    def _fail_start(self, error: StartError) -> None:
        if gateway_stops_on_error():
            raise error
        self._settings, self._start_error = None, error
        logger.error("%s; the gateway goes on, and its calls are %s", error, self._policy.action)

    def _method(self, hook: str) -> Callable[[Any, Any], Awaitable[Any]]:
        async def call(payload: Any, context: Any) -> Any:
            return await self._call(hook, payload, context)

        call.__name__ = hook
        return call

    async def _call(self, hook: str, payload: Any, context: Any) -> Any:
        started = time.perf_counter()
        try:
            connection = self._connection or await self._connect()
            if self._generation != connection.generation or started > self._refresh_hooks_at:
                await self._refresh_hooks(connection)
            if self._hooks is not None and hook not in self._hooks:
                self._metrics.record(hook, "skipped")
                return self._result(hook, {"continue_processing": True})
            result = await self._ask(connection, hook, payload, context)
        except UnavailableError as error:
            self._metrics.record(hook, "unavailable", time.perf_counter() - started)
            return self._result(hook, self._policy.result(hook, error))
        except EncodeError as error:
            self._metrics.record(hook, "error", time.perf_counter() - started)
            text = f"{hook} cannot be sent to the plugin: {error}"
            failure = {"message": text, "code": ErrorCode.UNREPRESENTABLE}
            raise decode_error(_framework, self.name, failure) from error
        except Exception:
            self._metrics.record(hook, "error", time.perf_counter() - started)
            raise
        outcome = "allowed" if result.modified_payload is None else "modified"
        self._metrics.record(hook, outcome if result.continue_processing else "blocked", time.perf_counter() - started)
        return result

    async def _ask(self, connection: RemoteConnection, hook: str, payload: Any, context: Any) -> Any:
        """Run a hook on the server and return the framework's result.

        Raises:
            UnavailableError: the plugin could not be asked.
            EncodeError: the payload cannot be sent.
            Exception: the framework's PluginError, when the plugin failed.
        """
        sent, sent_context = encode_payload(payload), encode_context(context)
        add_trace(sent_context)

        async def invoke(client: Client) -> dict[str, Any]:
            return await client.invoke(hook, self._remote_name, sent, sent_context)

        reply = await connection.call(invoke)
        if error := reply.get("error"):
            if reason := _UNAVAILABLE_CODES.get(error.get("code")):
                raise UnavailableError(reason, error.get("message") or "")
            raise decode_error(_framework, self.name, error)
        if changes := reply.get("context"):
            update_context(context, sent_context, changes)
        return decode_result(_framework, hook, self.name, payload, sent, reply["result"])

    async def _connect(self) -> RemoteConnection:
        """Initialize the plugin of a gateway that has not done so, or has shut it down, before a call.

        Raises:
            UnavailableError: the settings are wrong.
        """
        if self._start_error is not None:
            raise UnavailableError(Reason.MISCONFIGURED, str(self._start_error))
        await self.initialize()
        assert self._connection is not None
        return self._connection

    async def _refresh_hooks(self, connection: RemoteConnection) -> None:
        """Ask the server which hooks the plugin has.

        Raises:
            UnavailableError: the server cannot be asked, and may be another one than the last that answered.
        """
        generation, name = connection.generation, self._remote_name

        async def plugin_config(client: Client) -> dict[str, Any] | None:
            return await client.plugin_config(name)

        # Set before the request, so that only one of the concurrent calls makes it.
        self._refresh_hooks_at = time.perf_counter() + _HOOKS_REFRESH_SECONDS
        try:
            config = await connection.call(plugin_config)
        except UnavailableError:
            if self._generation != generation:
                raise
            return
        if config is None:
            endpoint = self._settings and self._settings.endpoint
            logger.error("plugin %s: the server at %s has no plugin %s", self.name, endpoint, name)
        self._hooks = frozenset(config["hooks"]) if config and config.get("hooks") else None
        self._generation = generation

    def _result(self, hook: str, data: dict[str, Any]) -> Any:
        model = _framework.registry.get_result_type(hook)
        assert model is not None, hook
        return model.model_validate(data)
