"""The plugin framework of the gateway that this runs in: cpex, or the one inside gateway 1.0.0."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

# Both are there when cpex is installed beside gateway 1.0.0; the gateway has then imported its own.
_MODULES = ("mcpgateway.plugins.framework", "cpex.framework")
_INSTALLED = ("cpex.framework", "mcpgateway.plugins.framework")


class HookRegistry(Protocol):
    """What is used of the framework's registry of hooks."""

    def is_registered(self, hook_type: str) -> bool:
        """Whether the release knows a hook."""

    def get_result_type(self, hook_type: str) -> type[BaseModel] | None:
        """The model of a hook's result; its modified_payload says what a hook may answer with."""


@dataclass(frozen=True, slots=True)
class Framework:
    """The names of a framework that are used here.

    Attributes:
        name: its module.
        plugin: the class that plugins extend.
        registry: the hooks that the release knows.
        error: makes the exception that says that a plugin failed, of what that exception tells.
        error_model: makes what that exception tells.
    """

    name: str
    plugin: type[Any]
    registry: HookRegistry
    error: Callable[..., Exception]
    error_model: Callable[..., Any]


def find_framework() -> Framework:
    """Find the framework: the one that is running, otherwise the one that is installed.

    Raises:
        ImportError: there is none; the text says where the connector belongs.
    """
    for name in _MODULES:
        if hasattr(sys.modules.get(name), "Plugin"):
            return _framework(name)
    for name in _INSTALLED:
        try:
            return _framework(name)
        except ModuleNotFoundError as error:
            # Whatever else is missing is a fault of the installation, and its message says more than ours would.
            if error.name is None or not name.startswith(error.name):
                raise
    raise ImportError(
        f"{__package__}: neither cpex.framework nor mcpgateway.plugins.framework is installed here; the connector runs "
        "inside a ContextForge gateway, so install this package into the gateway's environment"
    )


def _framework(name: str) -> Framework:
    root: Any = importlib.import_module(name)
    registry: Any = importlib.import_module(f"{name}.hooks.registry")
    return Framework(name, root.Plugin, registry.get_hook_registry(), root.PluginError, root.PluginErrorModel)
