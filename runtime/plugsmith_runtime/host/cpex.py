"""An adapter of plugins written for the gateway's own framework, `cpex`: served as they are, on every transport."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, ClassVar, TypeGuard

from pydantic import BaseModel, ConfigDict, ValidationError

from ..contract.hooks import HOOKS, HookSpec, PluginContext, PluginResult, PluginViolation
from ..errors import StartError, validation_message
from .config import PluginConfig
from .errors import PluginError, PluginErrorModel, PluginViolationError
from .plugin import Plugin

_FRAMEWORK = "cpex.framework"


def is_cpex_plugin(found: Any) -> TypeGuard[type[Any]]:
    """Whether a class was written for cpex; does not import cpex to find out."""
    framework = sys.modules.get(_FRAMEWORK)
    return framework is not None and inspect.isclass(found) and issubclass(found, framework.Plugin)


class CpexPlugin(Plugin):
    """An adapter of one cpex plugin: converts payloads, contexts and results to and from that framework's types.

    Args:
        config: the plugin's entry in the configuration file.
        kind: the plugin's class.

    Raises:
        StartError: the framework refuses the entry, or a hook that it lists.
    """

    def __init__(self, config: PluginConfig, kind: type[Any]) -> None:
        super().__init__(config)
        self._framework: Any = importlib.import_module(_FRAMEWORK)
        base: Any = importlib.import_module(f"{_FRAMEWORK}.base")
        try:
            entry = config.model_dump(mode="json", exclude_none=True, exclude={"timeout", "on_startup_error"})
            self._plugin: Any = kind(self._framework.PluginConfig(**entry))
        except ValidationError as error:
            raise StartError(f"plugin {config.name!r}: {validation_message(error, 'config')}") from error
        reference = base.PluginRef(self._plugin)
        for name, spec in HOOKS.items():
            try:
                found = base.HookRef(name, reference)
            except self._framework.PluginError as error:
                if name in config.hooks:
                    text = error.error.message
                    raise StartError(f"plugin {config.name!r}: cpex refuses hook {name}: {text}") from error
                continue
            setattr(self, name, self._adapt(spec, found.hook, found.accepts_extensions))

    async def initialize(self) -> None:
        """See Plugin."""
        await self._plugin.initialize()

    async def shutdown(self) -> None:
        """See Plugin."""
        await self._plugin.shutdown()

    def _adapt(self, spec: HookSpec, method: Callable[..., Awaitable[Any]], extended: bool) -> Callable[..., Any]:
        lenient = _lenient(spec.result)
        payload_type = self._framework.get_hook_registry().get_payload_type(spec.name)

        async def hook(payload: BaseModel, context: PluginContext) -> PluginResult[Any]:
            cpex_context = self._framework.PluginContext.model_validate(context.model_dump())
            # A third parameter takes the framework's extensions, which no external call carries.
            arguments = (
                payload_type.model_validate(payload.model_dump()),
                cpex_context,
                *((None,) if extended else ()),
            )
            try:
                result = await method(*arguments)
            except self._framework.PluginViolationError as error:
                raise PluginViolationError(error.message, _violation(error.violation)) from error
            except self._framework.PluginError as error:
                raise PluginError(PluginErrorModel.model_validate(error.error.model_dump())) from error
            context.state = cpex_context.state
            context.metadata = cpex_context.metadata
            context.global_context.state = cpex_context.global_context.state
            if not isinstance(result, self._framework.PluginResult):
                # The host says what is wrong with it.
                return result  # type: ignore[no-any-return]
            return lenient.model_validate(result.model_dump())

        return hook


def _violation(violation: Any) -> PluginViolation | None:
    return None if violation is None else PluginViolation.model_validate(violation.model_dump())


@cache
def _lenient(result: type[PluginResult[Any]]) -> type[PluginResult[Any]]:
    """The model by cpex's own rules: fields of later releases survive, and a violation may let the call go on."""

    class CpexResult(result):  # type: ignore[valid-type, misc]
        model_config = ConfigDict(extra="allow")

        _STRICT: ClassVar[bool] = False

    return CpexResult
