"""What a plugin imports: the base class, the hook models, the errors, and helpers for text."""

from __future__ import annotations

from ..contract import hooks as _hooks
from ..contract.hooks import *  # noqa: F403 - the names are those of hooks.__all__
from .config import PluginCondition, PluginConfig, PluginMode
from .errors import PluginError, PluginErrorModel, PluginViolationError
from .plugin import Plugin, PluginSettings
from .providers import (
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
from .text import map_strings, strings

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
    "map_strings",
    "strings",
]
__all__ += _hooks.__all__
