"""Plugin framework of the gateway that the connector runs in: cpex, or the one inside gateway 1.0.0."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

# With cpex installed beside gateway 1.0.0 both exist; the gateway has then imported its own.
_IMPORT_ORDER = ("mcpgateway.plugins.framework", "cpex.framework")
_INSTALL_ORDER = ("cpex.framework", "mcpgateway.plugins.framework")


class HookRegistry(Protocol):
    """The part of the framework's hook registry that the connector uses."""

    def is_registered(self, hook_type: str) -> bool:
        """Whether this release of the framework knows a hook."""

    def get_result_type(self, hook_type: str) -> type[BaseModel] | None:
        """The model of a hook's result; its modified_payload has the types that the hook may answer with."""


@dataclass(frozen=True, slots=True)
class Framework:
    """The parts of a framework that the connector uses.

    Attributes:
        name: the framework's module.
        plugin: base class of plugins.
        registry: the hooks that this release knows.
        error: the exception of a plugin that failed; takes an `error_model`.
        error_model: the description of such a failure.
    """

    name: str
    plugin: type[Any]
    registry: HookRegistry
    error: Callable[..., Exception]
    error_model: Callable[..., Any]


def find_framework() -> Framework:
    """Find the framework: the one that the gateway has imported, otherwise the one that is installed.

    Raises:
        ImportError: no framework is installed.
    """
    for name in _IMPORT_ORDER:
        if hasattr(sys.modules.get(name), "Plugin"):
            return _framework(name)
    for name in _INSTALL_ORDER:
        try:
            return _framework(name)
        except ModuleNotFoundError as error:
            # Any other missing module is a broken installation, which its own message explains best.
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


def gateway_stops_on_error() -> bool:
    """Whether this gateway stops when a plugin fails to start (PLUGINS_FAIL_ON_PLUGIN_ERROR, gateways 1.0.1 and later).

    Others go on without the plugin, or say so in their plugins file (1.0.0), which plugins do not see.
    """
    return os.environ.get("PLUGINS_FAIL_ON_PLUGIN_ERROR", "").strip().lower() in ("1", "true", "yes", "on", "t", "y")
