"""What a plugin imports: the base class, the hook models, the errors, and helpers for text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .contract import hooks as _hooks
from .host.config import PluginCondition, PluginConfig, PluginMode
from .host.errors import PluginError, PluginErrorModel, PluginViolationError
from .host.plugin import Plugin, PluginSettings
from .host.text import map_strings, strings

if TYPE_CHECKING:
    from .contract.hooks import *  # noqa: F403 - the names are those of hooks.__all__
    from .host.docker import (
        AuditEvent,
        AuditPlugin,
        AuthPlugin,
        Credential,
        CredentialInfo,
        CredentialKey,
        CredentialOwner,
        CredentialPlugin,
        CredentialValue,
        Metric,
        NewCredential,
        TelemetryPlugin,
        UserPrincipal,
    )

__all__ = [
    "AuditEvent",
    "AuditPlugin",
    "AuthPlugin",
    "Credential",
    "CredentialInfo",
    "CredentialKey",
    "CredentialOwner",
    "CredentialPlugin",
    "CredentialValue",
    "Metric",
    "NewCredential",
    "Plugin",
    "PluginCondition",
    "PluginConfig",
    "PluginError",
    "PluginErrorModel",
    "PluginMode",
    "PluginSettings",
    "PluginViolationError",
    "TelemetryPlugin",
    "UserPrincipal",
    "__version__",
    "map_strings",
    "strings",
]
__all__ += _hooks.__all__

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Look up what is made or imported when somebody asks for it: hook models, and plugins of Docker's gateway."""
        if name in _hooks.__all__:
            return getattr(_hooks, name)
        if name in __all__:
            return getattr(import_module(".host.docker", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
