"""What a plugin imports: the base class, the hook models, the errors, and helpers for text."""

from __future__ import annotations

from ..contract import hooks as _hooks
from ..contract.hooks import *  # noqa: F403 - the names are those of hooks.__all__
from .config import PluginCondition, PluginConfig, PluginMode
from .errors import PluginError, PluginErrorModel, PluginViolationError
from .plugin import Plugin, PluginSettings
from .text import map_strings, strings

__all__ = [
    "Plugin",
    "PluginCondition",
    "PluginConfig",
    "PluginError",
    "PluginErrorModel",
    "PluginMode",
    "PluginSettings",
    "PluginViolationError",
    "map_strings",
    "strings",
]
__all__ += _hooks.__all__
