"""Base classes of Docker's plugins. A plugin overrides the methods that it wants, as `async def` or `def`.

An exception in a method is answered by an error; `PluginViolationError` refuses, and its reason reaches the caller.
"""

from __future__ import annotations

from collections.abc import Awaitable

from ..plugin import Plugin
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


class MethodPlugin(Plugin):
    """Base of all of them: tells the host to look for methods."""

    _answers_methods = True


class TelemetryPlugin(MethodPlugin):
    """Takes the gateway's measurements."""

    def record_counter(self, metric: Metric) -> Awaitable[None] | None:
        """Something was counted: `metric.value` is what it grew by."""
        raise NotImplementedError

    def record_histogram(self, metric: Metric) -> Awaitable[None] | None:
        """A value was observed, such as a duration."""
        raise NotImplementedError

    def record_gauge(self, metric: Metric) -> Awaitable[None] | None:
        """A value that goes up and down is now `metric.value`."""
        raise NotImplementedError


class AuthPlugin(MethodPlugin):
    """Says who the gateway's callers are."""

    def validate_credential(self, credential: Credential) -> Awaitable[UserPrincipal] | UserPrincipal:
        """Say who a credential belongs to; raise PluginViolationError when it is not good."""
        raise NotImplementedError


class CredentialPlugin(MethodPlugin):
    """Keeps the credentials with which the gateway calls MCP servers for its users."""

    def store_credential(self, credential: NewCredential) -> Awaitable[None] | None:
        """Keep a credential, in place of the one that was stored under the same names."""
        raise NotImplementedError

    def retrieve_credential(self, key: CredentialKey) -> Awaitable[CredentialValue] | CredentialValue:
        """Give a credential back; raise PluginViolationError when there is none."""
        raise NotImplementedError

    def delete_credential(self, key: CredentialKey) -> Awaitable[None] | None:
        """Forget a credential."""
        raise NotImplementedError

    def list_credentials(self, owner: CredentialOwner) -> Awaitable[list[CredentialInfo]] | list[CredentialInfo]:
        """Say which credentials a user has."""
        raise NotImplementedError


class AuditPlugin(MethodPlugin):
    """Takes the gateway's audit events."""

    def log_event(self, event: AuditEvent) -> Awaitable[None] | None:
        """Keep an event; an exception tells the gateway that it was not kept."""
        raise NotImplementedError
