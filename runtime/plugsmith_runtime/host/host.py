"""The host of plugins: it loads and starts them, knows how they are, and runs calls of their hooks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING

from ..errors import EncodeError, StartError
from ..net.connections import ConnectionLimiter
from ..observability.calls import UNKNOWN, CallRecord, Observer, Outcome
from .config import PluginConfig, PluginMode
from .errors import ErrorCode
from .loaded_plugin import LoadedPlugin, start_plugin
from .loader import CALLS, METHODS
from .messages import HookCall, HookReply, OverloadedError
from .replies import encode_error_reply, error_reply
from .tracing import HookTracer

if TYPE_CHECKING:
    from ..observability.metrics import MetricsSource

logger = logging.getLogger(__name__)

_HOOK_THREADS = 32


class Host:
    """Loads plugins and answers calls, for any number of transports at once.

    Args:
        entries: the plugins' entries in the configuration file.
        hook_timeout: seconds that a hook may take, unless its plugin's entry says otherwise. Gateways wait for 30 s
            and may take a later answer for that of another call, so stay below.
        max_concurrent_hooks: hooks that may run at the same time; further calls are refused at once.
        max_connections: connections that each transport may have.
        development: warn about what the gateway will not call or not take.
        observers: the observers of calls that are over.
        tracer: puts calls into traces, when tracing is on.
        metrics: can be asked for metrics, when somebody may read them.

    Attributes:
        serving: whether plugins are started and the server is not stopping.
        running: how many hooks are running now.
        connections: the connections of all transports.
        tracer: the argument.
        metrics: the argument.
    """

    def __init__(
        self,
        entries: list[PluginConfig],
        hook_timeout: float = 25.0,
        max_concurrent_hooks: int = 1000,
        max_connections: int = 4096,
        development: bool = False,
        *,
        observers: Sequence[Observer] = (),
        tracer: HookTracer | None = None,
        metrics: MetricsSource | None = None,
    ) -> None:
        self._entries = entries
        self._hook_timeout = hook_timeout
        self._max_hooks = max_concurrent_hooks
        self._development = development
        self._loaded: dict[str, LoadedPlugin] = {}
        self._disabled = {entry.name.lower(): entry for entry in entries if entry.mode is PluginMode.DISABLED}
        self._failed: dict[str, PluginConfig] = {}
        self._plugin_by_method: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(_HOOK_THREADS, thread_name_prefix="hook")
        self.serving = False
        self.running = 0
        self.connections = ConnectionLimiter(max_connections, "PLUGINS_MAX_CONNECTIONS")
        self.tracer = tracer
        self.metrics = metrics
        self._state_listeners: list[Callable[[], None]] = []
        self._observers: dict[Outcome, list[Observer]] = {
            outcome: [observer for observer in observers if outcome in observer.outcomes] for outcome in Outcome
        }

    @property
    def names(self) -> list[str]:
        """The names of the plugins that answer calls."""
        return [loaded.name for loaded in self._loaded.values()]

    @property
    def longest_timeout(self) -> float:
        """The seconds that the most patient plugin's hooks may take."""
        return max(entry.timeout or self._hook_timeout for entry in self._entries)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a function called, in the event loop, whenever `ready` or `plugin_serving` may have changed."""
        self._state_listeners.append(listener)

    @property
    def ready(self) -> bool:
        """Whether calls make sense: the server is not stopping, and a plugin can do its work."""
        return self.serving and any(loaded.healthy for loaded in self._loaded.values())

    async def start(self) -> None:
        """Load and initialize all plugins that are not disabled.

        Raises:
            StartError: a plugin cannot be imported, made or initialized and its entry does not say
                `on_startup_error: skip`, or none is left to serve.
        """
        reason = "every plugin of the configuration file is disabled"
        for entry in self._entries:
            if entry.mode is PluginMode.DISABLED:
                continue
            try:
                loaded = await start_plugin(entry, self._hook_timeout, self._threads, self._development)
            except StartError as error:
                if entry.on_startup_error != "skip":
                    raise
                logger.error("%s; it is skipped (on_startup_error: skip), its calls are answered with an error", error)
                self._failed[entry.name.lower()] = entry
                reason = "every plugin of the configuration file is disabled or failed to start"
                continue
            loaded.watch(self._state_changed)
            self._loaded[entry.name.lower()] = loaded
            self._add_methods(loaded)
        if not self._loaded:
            raise StartError(f"{reason}: there is nothing to serve")
        self.serving = True
        self._state_changed()

    def drain(self) -> None:
        """Say to all who ask that no more calls should come."""
        self.serving = False
        self._state_changed()

    async def stop(self) -> None:
        """Shut all plugins down."""
        self.drain()
        for loaded in self._loaded.values():
            await loaded.shutdown()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def plugin_serving(self, name: str) -> bool | None:
        """Whether a plugin can do its work; None when there is no such plugin."""
        loaded = self._loaded.get(name.lower())
        if loaded is None:
            return False if name.lower() in self._failed else None
        return self.serving and loaded.healthy

    def plugins_serving(self) -> dict[str, bool]:
        """Whether each plugin can do its work, by name; those that failed to start are among them."""
        states = {loaded.name: self.serving and loaded.healthy for loaded in self._loaded.values()}
        return states | {entry.name: False for entry in self._failed.values()}

    def plugins_running(self) -> dict[str, int]:
        """How many hooks of each plugin are running now, by name."""
        return {loaded.name: loaded.running for loaded in self._loaded.values()}

    def open_connections(self) -> dict[str, int]:
        """The open connections, by transport."""
        return dict(self.connections.counts)

    def plugin_for(self, hook: str) -> str | None:
        """The plugin that a call is for when it names none; None when that is not clear.

        Args:
            hook: a hook, which the only plugin answers, or one of METHODS, which only one plugin may answer.
        """
        if hook in METHODS:
            return self._plugin_by_method.get(hook)
        return self.names[0] if len(self._loaded) == 1 else None

    def plugin_entries(self) -> list[PluginConfig]:
        """The entries of all plugins, those that are served first."""
        served = [loaded.config for loaded in self._loaded.values()]
        return [*served, *self._failed.values(), *self._disabled.values()]

    def plugin_entry(self, name: str) -> PluginConfig | None:
        """The entry of one plugin, None when there is none; upper and lower case are the same.

        A disabled plugin has one too: a gateway that reads the mode skips the plugin; one that finds no entry takes it
        for a failure and may refuse to start.
        """
        key = name.lower()
        loaded = self._loaded.get(key)
        return loaded.config if loaded else self._failed.get(key) or self._disabled.get(key)

    async def call(self, call: HookCall) -> HookReply:
        """Run a hook; `respond` also encodes, sends and records.

        Args:
            call: the call; whatever is wrong with it becomes an error reply.

        Raises:
            OverloadedError: too many hooks are running; this one was not begun.
        """
        if self.running >= self._max_hooks:
            text = f"{self._max_hooks} hooks are running (PLUGINS_MAX_CONCURRENT_HOOKS); send the call again later"
            raise OverloadedError(error_reply(call, ErrorCode.OVERLOADED, text))
        loaded = self._loaded.get(call.plugin.lower())
        if loaded is None:
            return self._no_plugin(call) if self.tracer is None else await self._traced(self.tracer, None, call)
        self.running += 1
        loaded.running += 1
        try:
            if self.tracer is None:
                return await loaded.call(call)
            return await self._traced(self.tracer, loaded, call)
        except EncodeError as error:
            return encode_error_reply(call, error)
        finally:
            self.running -= 1
            loaded.running -= 1

    def record(self, call: HookCall, outcome: Outcome, code: str, began: float, response_bytes: int) -> None:
        """Tell the observers about a call that is over.

        Args:
            call: the call.
            outcome: how it ended.
            code: the code of its error or violation.
            began: when it began, as `time.perf_counter` has it.
            response_bytes: the size of the answer.
        """
        observers = self._observers[outcome]
        if not observers:
            return
        loaded = self._loaded.get(call.plugin.lower())
        record = CallRecord(
            loaded.name if loaded else UNKNOWN,
            call.hook if call.hook in CALLS else UNKNOWN,
            call.transport,
            outcome,
            code,
            perf_counter() - began,
            call.size,
            response_bytes,
            call.request_id,
            call.identity,
            self.tracer.trace_id(call) if self.tracer else "",
        )
        for observer in observers:
            observer.done(record)

    def _add_methods(self, loaded: LoadedPlugin) -> None:
        for method in loaded.hooks.keys() & METHODS:
            first = self._plugin_by_method.setdefault(method, loaded.name)
            if first != loaded.name:
                raise StartError(
                    f"plugins {first!r} and {loaded.name!r} both answer {method}, and its callers name no plugin: "
                    "serve one of them"
                )

    def _state_changed(self) -> None:
        for listener in self._state_listeners:
            listener()

    async def _traced(self, tracer: HookTracer, loaded: LoadedPlugin | None, call: HookCall) -> HookReply:
        with tracer.span(call) as span:
            reply = self._no_plugin(call) if loaded is None else await loaded.call(call)
            span.done(*reply.outcome())
            return reply

    def _no_plugin(self, call: HookCall) -> HookReply:
        if call.plugin.lower() in self._failed:
            text = f"plugin {call.plugin} failed to start; the server's log has the reason"
            return error_reply(call, ErrorCode.PLUGIN_UNAVAILABLE, text)
        return error_reply(call, ErrorCode.UNKNOWN_PLUGIN, f"this server has no plugin {call.plugin!r}")
