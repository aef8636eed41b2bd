"""Models of what Docker's MCP gateway sends to the methods of its plugins, and of what they return.

The gateway is written in Go and sends null for empty maps and "" for what is missing. Secrets are left out of what
`repr` shows, so that they do not reach logs by accident.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ...contract.hooks import PluginPayload

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
