"""Plugins of Docker's MCP gateway: base classes, the models of their methods, and an adapter to hooks for the host.

A plugin overrides the methods that it wants, as `async def` or `def`. An exception in a method is answered by an error;
`PluginViolationError` refuses, and its reason reaches the caller.

The gateway is written in Go and sends null for empty maps and "" for what is missing. Secrets are left out of what
`repr` shows, so that they do not reach logs by accident.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..contract.hooks import PluginPayload, PluginResult
from .loader import Hook
from .plugin import Plugin

AttributeValue = str | int | float | bool

_NULL_IS_EMPTY = BeforeValidator(lambda value: {} if value is None else value)

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class Metric(PluginPayload):
    """One observation of a counter, a histogram or a gauge."""

    name: str
    """What is measured."""
    value: int | float
    """By how much the counter grows, or what the histogram or gauge observes."""
    attributes: Annotated[dict[str, AttributeValue], _NULL_IS_EMPTY] = Field(default_factory=dict)
    """What the observation belongs to, such as the name of a tool."""


class Credential(PluginPayload):
    """What a caller of the gateway shows to say who it is."""

    type: str
    """Its kind, for example "api_key", "oauth_token" or "jwt"."""
    value: str = Field(repr=False)
    """The credential itself."""


class UserPrincipal(PluginPayload):
    """Who a credential belongs to."""

    user_id: str
    tenant_id: str | None = None
    roles: list[str] = Field(default_factory=list)
    groups: list[str] = Field(default_factory=list)
    metadata: Annotated[dict[str, str], _NULL_IS_EMPTY] = Field(default_factory=dict)


class CredentialOwner(PluginPayload):
    """The user whose credentials are asked for."""

    user_id: str


class CredentialKey(CredentialOwner):
    """Names one stored credential."""

    mcp_server: str
    """The MCP server that the credential is for."""
    credential_type: str
    """Its kind, for example "api_key"."""


class NewCredential(CredentialKey):
    """A credential to store."""

    value: str = Field(repr=False)


class CredentialValue(PluginPayload):
    """A credential that was stored."""

    value: str = Field(repr=False)


class CredentialInfo(PluginPayload):
    """What may be told about a stored credential."""

    server: str
    cred_type: str
    created_at: str | None = None
    expires_at: str | None = None


class AuditEvent(PluginPayload):
    """Something that happened in the gateway."""

    event_type: str
    timestamp: Text = ""
    """When, as the gateway writes times (RFC 3339)."""
    tenant_id: Text = ""
    user_id: Text = ""
    mcp_server: Text = ""
    tool: Text = ""
    result: Text = ""
    """How it ended."""
    metadata: Annotated[dict[str, AttributeValue | None], _NULL_IS_EMPTY] = Field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What is known about one method.

    Attributes:
        name: the method's name, on the wire (where "-" is as good as "_") and in the class.
        owner: the base class that declares it.
        payload: the model of what it receives.
        result: the type of what it answers.
    """

    name: str
    owner: type[Plugin]
    payload: type[PluginPayload]
    result: type[Any] = NoneType


SPECS: dict[str, MethodSpec] = {
    spec.name: spec
    for spec in (
        MethodSpec("record_counter", TelemetryPlugin, Metric),
        MethodSpec("record_histogram", TelemetryPlugin, Metric),
        MethodSpec("record_gauge", TelemetryPlugin, Metric),
        MethodSpec("validate_credential", AuthPlugin, Credential, UserPrincipal),
        MethodSpec("store_credential", CredentialPlugin, NewCredential),
        MethodSpec("retrieve_credential", CredentialPlugin, CredentialKey, CredentialValue),
        MethodSpec("delete_credential", CredentialPlugin, CredentialKey),
        MethodSpec("list_credentials", CredentialPlugin, CredentialOwner, list),
        MethodSpec("log_event", AuditPlugin, AuditEvent),
    )
}
"""The methods by name; loader.METHODS has the same names."""


def method_hooks(plugin: Plugin) -> dict[str, Hook]:
    """Find the methods that a plugin's class overrides, by name, each in the form of a hook.

    As a hook it takes a context too, and what it answers stands in `modified_payload` of a result.
    """
    hooks = {}
    for name, spec in SPECS.items():
        if isinstance(plugin, spec.owner) and getattr(type(plugin), name) is not getattr(spec.owner, name):
            method = getattr(plugin, name)
            hooks[name] = Hook(spec, _as_hook(spec, method), threaded=not inspect.iscoroutinefunction(method))
    return hooks


def _as_hook(spec: MethodSpec, method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    if inspect.iscoroutinefunction(method):

        async def hook(payload: Any, context: Any) -> Any:
            return _result(spec, await method(payload))

        return hook
    return lambda payload, context: _result(spec, method(payload))


def _result(spec: MethodSpec, answer: Any) -> Any:
    # What is of another type goes on as it is: the host says what is wrong with it.
    return PluginResult[Any](modified_payload=answer) if isinstance(answer, spec.result) else answer
