"""A loaded plugin: validates calls, runs hooks within their time limits, and makes replies of what they return."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

from pydantic import BaseModel, ValidationError

from ..contract.hooks import GlobalContext, HookSpec, PluginContext, PluginResult
from ..errors import StartError, validation_message
from ..net.deadlines import DeadlineExceededError, Deadlines
from .config import PluginConfig
from .errors import ErrorCode, PluginError, PluginViolationError
from .loader import CALLS, Hook, implemented_hooks, load_plugin, unimplemented_hooks, unlisted_hooks
from .messages import HookCall, HookReply
from .plugin import Plugin
from .replies import (
    CLIENT_IDENTITY,
    blocked,
    error_reply,
    failure_reply,
    has_content,
    plugin_error_reply,
    result_reply,
)

logger = logging.getLogger(__name__)


class LoadedPlugin:
    """One plugin that is ready to be called.

    Args:
        plugin: the plugin, initialized.
        config: its entry in the configuration file.
        timeout: seconds that its hooks may take, unless the entry says otherwise.
        threads: runs hooks that are plain functions.

    Attributes:
        running: how many of its hooks are running now.
        discarded_changes: warns of changes that the gateway discards; None but in development.
    """

    __slots__ = ("config", "deadlines", "discarded_changes", "hooks", "plugin", "running", "threads")

    def __init__(self, plugin: Plugin, config: PluginConfig, timeout: float, threads: Executor) -> None:
        self.plugin = plugin
        self.config = config
        self.hooks = implemented_hooks(plugin)
        if plugin._answers_methods:
            from .docker import method_hooks

            self.hooks |= method_hooks(plugin)
        self.deadlines = Deadlines(config.timeout or timeout)
        self.threads = threads
        self.running = 0
        self.discarded_changes: DiscardedChangesWarning | None = None

    @property
    def name(self) -> str:
        """The plugin's name as the configuration file spells it."""
        return self.config.name

    @property
    def healthy(self) -> bool:
        """Whether the plugin says that it can do its work."""
        return self.plugin._unhealthy_reason is None

    def watch(self, changed: Callable[[], None]) -> None:
        """Have a function called, in the event loop, whenever the plugin reports about its health."""
        loop = asyncio.get_running_loop()

        def report(reason: str | None) -> None:
            if reason is None:
                logger.info("plugin %s reports that it is healthy", self.name)
            else:
                logger.warning("plugin %s reports that it is unhealthy: %s", self.name, reason)
            loop.call_soon_threadsafe(changed)

        self.plugin._on_health = report

    async def call(self, call: HookCall) -> HookReply:
        """Run a hook; whatever is wrong with the call or with the plugin becomes an error reply.

        Args:
            call: the call.

        Raises:
            EncodeError: the result holds an object that has no JSON form.
        """
        hook = self.hooks.get(call.hook)
        if hook is None:
            if call.hook in CALLS:
                text = f"plugin {self.name} does not implement hook {call.hook}"
                return error_reply(call, ErrorCode.HOOK_NOT_IMPLEMENTED, text)
            return error_reply(call, ErrorCode.UNKNOWN_HOOK, f"there is no hook {call.hook!r}")
        try:
            # What model_validate does, without its looking for options.
            payload = hook.spec.payload.__pydantic_validator__.validate_python(call.payload)
        except ValidationError as error:
            return error_reply(call, ErrorCode.INVALID_PAYLOAD, validation_message(error, "payload"))
        try:
            context = _context(call)
        except ValidationError as error:
            return error_reply(call, ErrorCode.INVALID_CONTEXT, validation_message(error, "context"))
        had_content = has_content(context)
        try:
            result = await self._run(hook, payload, context)
        except DeadlineExceededError:
            text = f"hook {call.hook} of plugin {self.name} took longer than {self.deadlines.limit:g} s"
            return error_reply(call, ErrorCode.HOOK_TIMEOUT, text)
        except PluginViolationError as error:
            result = blocked(error)
        except PluginError as error:
            return plugin_error_reply(call, error)
        except (Exception, SystemExit) as error:
            return failure_reply(call, error)
        if not isinstance(result, PluginResult):
            text = f"hook {call.hook} returned {type(result).__name__}, expected {hook.spec.result.__name__}"
            return error_reply(call, ErrorCode.INVALID_RESULT, text)
        if result.contradictory:
            text = f"hook {call.hook} returned a violation, but continue_processing=True lets the call go on"
            return error_reply(call, ErrorCode.INVALID_RESULT, text)
        if self.discarded_changes is not None and isinstance(hook.spec, HookSpec):
            self.discarded_changes.check(hook.spec, payload, result.modified_payload)
        # A context that was emptied must go back too.
        return result_reply(call, result, context if had_content or has_content(context) else None)

    def _run(self, hook: Hook, payload: Any, context: PluginContext) -> Awaitable[Any]:
        if hook.threaded:
            loop = asyncio.get_running_loop()
            # What belongs to the call, such as its span, goes with it into the thread.
            run = contextvars.copy_context().run
            return self.deadlines.run(loop.run_in_executor(self.threads, run, hook.method, payload, context))
        return self.deadlines.run(hook.method(payload, context))

    async def shutdown(self) -> None:
        """Shut the plugin down; one that fails to is logged and stops nobody else."""
        try:
            await self.plugin.shutdown()
        except Exception:
            logger.exception("plugin %s: shutdown() failed", self.name)


class DiscardedChangesWarning:
    """Warns when a plugin changes what the gateway does not let it change; once for each hook.

    Args:
        plugin: the plugin's name.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._warned_hooks: set[str] = set()

    def check(self, spec: HookSpec, payload: BaseModel, changed: Any) -> None:
        """Compare the payload that a hook got with the one that it returned.

        Args:
            spec: the hook.
            payload: the payload that it got.
            changed: the payload that it returned, None when it returned none.
        """
        # Some hooks answer with something else than their payload.
        if spec.name in self._warned_hooks or type(changed) is not type(payload):
            return
        before, after = _fields(payload), _fields(changed)
        names = [name for name in after if name not in spec.writable and after[name] != before.get(name)]
        if names:
            self._warned_hooks.add(spec.name)
            logger.warning(
                "plugin %s changes %s at %s, which the gateway drops: it takes changes of %s only",
                self._plugin, ", ".join(names), spec.name, ", ".join(sorted(spec.writable)),
            )  # fmt: skip


async def start_plugin(entry: PluginConfig, timeout: float, threads: Executor, development: bool) -> LoadedPlugin:
    """Load and initialize a plugin.

    Args:
        entry: the plugin's entry in the configuration file.
        timeout: seconds that its hooks may take, unless the entry says otherwise.
        threads: runs hooks that are plain functions.
        development: warn about what the gateway will not call or not take.

    Raises:
        StartError: it cannot be imported, made or initialized, or has no hook.
    """
    loaded = LoadedPlugin(load_plugin(entry), entry, timeout, threads)
    if not loaded.hooks:
        raise StartError(f"plugin {entry.name!r}: {entry.kind} implements no hook; define one of its methods")
    for text, advice in unimplemented_hooks(entry, loaded.hooks):
        logger.warning("%s; %s", text, advice)
    if development:
        loaded.discarded_changes = DiscardedChangesWarning(entry.name)
        for text, advice in unlisted_hooks(entry, loaded.hooks):
            logger.warning("%s; %s", text, advice)
    try:
        await loaded.plugin.initialize()
    except Exception as error:
        raise StartError(f"plugin {entry.name!r}: initialize() failed: {type(error).__name__}: {error}") from error
    return loaded


def _context(call: HookCall) -> PluginContext:
    if call.context is None:
        context = PluginContext(global_context=GlobalContext(request_id=""))
    else:
        context = PluginContext.__pydantic_validator__.validate_python(call.context)
    context.metadata.pop(CLIENT_IDENTITY, None)
    if call.identity is not None:
        context.metadata[CLIENT_IDENTITY] = call.identity
    return context


def _fields(model: BaseModel) -> dict[str, Any]:
    return {**model.__dict__, **(model.__pydantic_extra__ or {})}
