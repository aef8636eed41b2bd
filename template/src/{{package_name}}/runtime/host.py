"""The host: it knows plugins and calls, and no wire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import ValidationError

from ..contract.hooks import HOOKS, GlobalContext, PluginContext, PluginResult
from .calls import HookCall, HookReply, Unrepresentable
from .config import PluginConfig, PluginMode
from .deadlines import Deadlines, Overrun
from .errors import ErrorCode, PluginError, PluginViolationError, StartError, validation_message
from .loader import Hook, implemented_hooks, load_plugin
from .plugin import Plugin
from .replies import (
    CLIENT_IDENTITY,
    blocked,
    carries,
    context_data,
    error_reply,
    failure_reply,
    plugin_error_reply,
    result_data,
    unrepresentable_reply,
)

logger = logging.getLogger(__name__)

_THREADS = 32


class _Hosted:
    """One plugin that is ready to be called."""

    __slots__ = ("config", "deadlines", "hooks", "plugin")

    def __init__(self, plugin: Plugin, config: PluginConfig, timeout: float) -> None:
        self.plugin = plugin
        self.config = config
        self.hooks = implemented_hooks(plugin)
        self.deadlines = Deadlines(config.timeout or timeout)


class Host:
    """Loads plugins and answers calls, for any number of transports at once.

    Args:
        entries: the plugins' entries in the configuration file.
        hook_timeout: seconds that a hook may take, unless its plugin's entry says otherwise. Gateways wait for 30 s
            and may take a later answer for that of another call, so stay below.
    """

    def __init__(self, entries: list[PluginConfig], hook_timeout: float = 25.0) -> None:
        self._entries = entries
        self._timeout = hook_timeout
        self._hosted: dict[str, _Hosted] = {}
        self._disabled = {entry.name.lower(): entry for entry in entries if entry.mode is PluginMode.DISABLED}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hook")
        self.serving = False

    @property
    def names(self) -> list[str]:
        """The names of the plugins that are served."""
        return [hosted.config.name for hosted in self._hosted.values()]

    @property
    def longest_timeout(self) -> float:
        """The seconds that the most patient plugin's hooks may take."""
        return max(entry.timeout or self._timeout for entry in self._entries)

    async def start(self) -> None:
        """Load and initialize all plugins that are not disabled.

        Raises:
            StartError: a plugin cannot be imported, made or initialized, or none is left to serve.
        """
        for entry in self._entries:
            if entry.mode is PluginMode.DISABLED:
                continue
            hosted = _Hosted(load_plugin(entry), entry, self._timeout)
            if not hosted.hooks:
                raise StartError(f"plugin {entry.name!r}: {entry.kind} implements no hook; define one of its methods")
            for hook in entry.hooks:
                if hook not in hosted.hooks:
                    logger.warning("plugin %s lists hook %s, which %s does not implement", entry.name, hook, entry.kind)
            try:
                await hosted.plugin.initialize()
            except Exception as problem:
                raise StartError(
                    f"plugin {entry.name!r}: initialize() failed: {type(problem).__name__}: {problem}"
                ) from problem
            self._hosted[entry.name.lower()] = hosted
        if not self._hosted:
            raise StartError("every plugin of the configuration file is disabled: there is nothing to serve")
        self.serving = True

    async def stop(self) -> None:
        """Shut all plugins down; a plugin that fails to is logged and stops nobody else."""
        self.serving = False
        for hosted in self._hosted.values():
            try:
                await hosted.plugin.shutdown()
            except Exception:
                logger.exception("plugin %s: shutdown() failed", hosted.config.name)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def plugin_serving(self, name: str) -> bool | None:
        """Whether a plugin answers calls; None when there is no such plugin."""
        return self.serving if name.lower() in self._hosted else None

    def plugin_configs(self) -> list[dict[str, Any]]:
        """The entries of all plugins, those that are served first, as every gateway release accepts them."""
        served = [hosted.config for hosted in self._hosted.values()]
        return [entry.reply() for entry in [*served, *self._disabled.values()]]

    def plugin_config(self, name: str) -> dict[str, Any] | None:
        """The entry of one plugin, None when there is none; upper and lower case are the same.

        A disabled plugin has one too: a gateway that reads the mode skips the plugin; one that finds no entry takes it
        for a failure and may refuse to start.
        """
        hosted = self._hosted.get(name.lower())
        entry = hosted.config if hosted else self._disabled.get(name.lower())
        return entry.reply() if entry else None

    async def answer(self, call: HookCall, encode: Callable[[HookReply], bytes]) -> bytes:
        """Run a hook and write its reply.

        Args:
            call: the call; whatever is wrong with it becomes an error reply.
            encode: writes a reply in the transport's format; it may raise Unrepresentable for a result.

        Returns:
            What `encode` made of the reply.
        """
        try:
            return encode(await self._reply(call))
        except Unrepresentable as problem:
            return encode(unrepresentable_reply(call, problem))

    async def _reply(self, call: HookCall) -> HookReply:
        hosted = self._hosted.get(call.plugin.lower())
        if hosted is None:
            return error_reply(call, ErrorCode.UNKNOWN_PLUGIN, f"this server has no plugin {call.plugin!r}")
        hook = hosted.hooks.get(call.hook)
        if hook is None:
            if call.hook in HOOKS:
                text = f"plugin {hosted.config.name} does not implement hook {call.hook}"
                return error_reply(call, ErrorCode.HOOK_NOT_IMPLEMENTED, text)
            return error_reply(call, ErrorCode.UNKNOWN_HOOK, f"there is no hook {call.hook!r}")
        try:
            payload = hook.spec.payload.model_validate(call.payload)
        except ValidationError as problem:
            return error_reply(call, ErrorCode.INVALID_PAYLOAD, validation_message(problem, "payload"))
        try:
            context = _context(call)
        except ValidationError as problem:
            return error_reply(call, ErrorCode.INVALID_CONTEXT, validation_message(problem, "context"))
        carried = carries(context)
        try:
            result = await self._run(hosted, hook, payload, context)
        except Overrun:
            text = f"hook {call.hook} of plugin {hosted.config.name} took longer than {hosted.deadlines.limit:g} s"
            logger.error("%s", text)
            return error_reply(call, ErrorCode.HOOK_TIMEOUT, text)
        except PluginViolationError as problem:
            result = blocked(problem)
        except PluginError as problem:
            return plugin_error_reply(call, problem)
        except (Exception, SystemExit) as problem:
            return failure_reply(call, problem)
        if not isinstance(result, PluginResult):
            text = f"hook {call.hook} returned {type(result).__name__}, expected {hook.spec.result.__name__}"
            return error_reply(call, ErrorCode.INVALID_RESULT, text)
        # A context that was emptied must go back too.
        carried = carried or carries(context)
        return HookReply(call.plugin, result_data(result), context=context_data(context) if carried else None)

    async def _run(self, hosted: _Hosted, hook: Hook, payload: Any, context: PluginContext) -> Any:
        if hook.threaded:
            loop = asyncio.get_running_loop()
            return await hosted.deadlines.run(loop.run_in_executor(self._threads, hook.method, payload, context))
        return await hosted.deadlines.run(hook.method(payload, context))


def _context(call: HookCall) -> PluginContext:
    if call.context is None:
        context = PluginContext(global_context=GlobalContext(request_id=""))
    else:
        context = PluginContext.model_validate(call.context)
    context.metadata.pop(CLIENT_IDENTITY, None)
    if call.identity is not None:
        context.metadata[CLIENT_IDENTITY] = call.identity
    return context
