"""Base class of plugins, and of their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from ..contract.hooks import HookMethods
from .config import PluginConfig, PluginMode


class PluginSettings(BaseModel):
    """Base of a plugin's `Config`: unknown names are refused, values do not change after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FreeSettings(PluginSettings):
    """The settings of a plugin that declares none: any name is taken."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Plugin(HookMethods):
    """Base of all plugins; names and shapes are those of the gateway's own plugin framework.

    A plugin overrides the hooks that it wants, as `async def` or, for code that blocks, as `def`, which then runs
    in a thread. A nested `class Config(PluginSettings)` is filled from `config:` of the plugin's entry when the
    server starts.

    Args:
        config: the plugin's entry in the configuration file.

    Raises:
        pydantic.ValidationError: `config:` does not fit `Config`.
    """

    Config: ClassVar[type[PluginSettings]] = FreeSettings
    settings: PluginSettings
    _on_health: Callable[[str | None], None] | None = None
    # For the host; underscored, so that no attribute of an author's has the same name.
    _answers_methods: ClassVar[bool] = False
    _unhealthy_reason: str | None = None

    def __init__(self, config: PluginConfig) -> None:
        self._config = config
        self.settings = self.Config.model_validate(config.config or {})

    @property
    def config(self) -> PluginConfig:
        """The plugin's entry in the configuration file."""
        return self._config

    @property
    def name(self) -> str:
        """The plugin's name, by which the gateway calls it."""
        return self._config.name

    @property
    def hooks(self) -> list[str]:
        """The hooks that the configuration file lists."""
        return self._config.hooks

    @property
    def mode(self) -> PluginMode:
        """What the gateway does with the plugin's verdicts."""
        return self._config.mode

    @property
    def priority(self) -> int:
        """The plugin's place in the gateway's order; lower runs earlier."""
        return self._config.priority

    @property
    def tags(self) -> list[str]:
        """Words to find the plugin by."""
        return self._config.tags

    async def initialize(self) -> None:
        """Runs once before the first call; an exception stops the start."""

    async def shutdown(self) -> None:
        """Runs once after the last call."""

    def report_unhealthy(self, reason: str) -> None:
        """Say that the plugin cannot do its work for now: health checks answer NOT_SERVING for it.

        Calls still reach it, and whoever asks for its health decides what follows. May be called from any thread.

        Args:
            reason: what is wrong, for the log; it must hold no secret.
        """
        self._report(reason)

    def report_healthy(self) -> None:
        """Take `report_unhealthy` back."""
        self._report(None)

    def _report(self, reason: str | None) -> None:
        self._unhealthy_reason = reason
        if self._on_health is not None:
            self._on_health(reason)
