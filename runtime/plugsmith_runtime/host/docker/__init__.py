"""Plugins of Docker's MCP gateway: telemetry, authentication, credentials and audit, beside hooks."""

from __future__ import annotations

from .methods import MethodSpec, method_hooks
from .models import (
    AuditEvent,
    Credential,
    CredentialInfo,
    CredentialKey,
    CredentialOwner,
    CredentialValue,
    Metric,
    NewCredential,
    UserPrincipal,
)
from .plugins import AuditPlugin, AuthPlugin, CredentialPlugin, TelemetryPlugin

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
    "MethodSpec",
    "Metric",
    "NewCredential",
    "TelemetryPlugin",
    "UserPrincipal",
    "method_hooks",
]
