"""The connector's settings: `config` of its entry in the gateway's plugins file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..client import ClientTls
from ..errors import StartError, validation_message

_PLAIN_SCHEMES = ("unix", "grpc+unix", "http+unix", "http")
_TLS_SCHEMES = ("grpc", "grpcs", "https")


class TlsConfig(BaseModel):
    """Files with certificates, read anew when they change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca_bundle: str
    """The authorities that the server's certificate must come from."""
    certfile: str | None = None
    """The gateway's certificate, for servers that ask for one."""
    keyfile: str | None = None
    """The certificate's key."""
    keyfile_password: str | None = Field(default=None, repr=False)
    """The key's password."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that are named."""
        return tuple(path for path in (self.ca_bundle, self.certfile, self.keyfile) if path)


class ConnectionConfig(BaseModel):
    """Where the server is, and how to talk to it; entries with equal settings share their connections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str
    """unix:///path, grpc://host:port, grpc+unix:///path, https://host:port/mcp, http://host:port/mcp, http+unix:///path."""
    tls: TlsConfig | None = None
    """Certificates, for grpc and https."""
    deadline: float = Field(default=27.0, gt=0)
    """Seconds that a call may take: above the server's limit for a hook (25), below the gateway's for a plugin (30)."""
    connect_timeout: float = Field(default=5.0, gt=0)
    """Seconds that it may take to connect."""
    connections: int = Field(default=1, ge=1, le=100)
    """How many connections there are to unix and grpc, where one carries any number of calls; more than one spread the
    calls over the server's workers. Over http, and with a unix server of version 1, each call in flight has its own."""
    breaker_failures: int = Field(default=5, ge=1)
    """Calls in a row without an answer in time, after which calls fail at once until the plugin answers a probe."""

    @model_validator(mode="after")
    def _fits(self) -> ConnectionConfig:
        scheme, found, place = self.endpoint.partition("://")
        if not found or scheme not in _PLAIN_SCHEMES + _TLS_SCHEMES or not place:
            known = ", ".join(f"{name}://" for name in sorted({*_PLAIN_SCHEMES, *_TLS_SCHEMES}))
            raise ValueError(f"endpoint {self.endpoint!r} starts with none of {known}")
        if self.tls is not None and scheme in _PLAIN_SCHEMES:
            raise ValueError(f"tls is set, but {scheme} carries none: use grpc:// or https://, or leave tls out")
        if scheme == "grpcs" and self.tls is None:
            raise ValueError("grpcs needs tls with a ca_bundle")
        return self

    @property
    def pooled(self) -> bool:
        """Whether each call in flight has a connection of its own, as over http; one client keeps them all."""
        return self.endpoint.startswith("http")

    @property
    def wanted(self) -> int:
        """How many clients to keep."""
        return 1 if self.pooled else self.connections

    @property
    def address(self) -> str:
        """The endpoint as the clients spell it: gRPC with TLS is grpcs."""
        return f"grpcs{self.endpoint[4:]}" if self.tls and self.endpoint.startswith("grpc:") else self.endpoint

    @property
    def client_tls(self) -> ClientTls | None:
        """The certificates as the clients take them."""
        return ClientTls(**self.tls.model_dump()) if self.tls else None


class ConnectorConfig(ConnectionConfig):
    """All settings of an entry."""

    plugin: str | None = None
    """The plugin's name at the server, when the gateway's entry has another one."""
    on_unavailable: Literal["deny", "allow"] = "deny"
    """What becomes of a call that the plugin cannot be asked about: blocked, or passed with a note in the log."""
    required_at_start: bool = False
    """Whether a gateway whose plugin is not up yet refuses to start."""

    @property
    def link(self) -> ConnectionConfig:
        """The part that says where the server is."""
        return ConnectionConfig.model_validate(self.model_dump(include=set(ConnectionConfig.model_fields)))


def read_config(name: str, values: dict[str, Any] | None) -> ConnectorConfig:
    """Check the settings of an entry.

    Args:
        name: the entry's name.
        values: its `config`.

    Raises:
        StartError: a setting is missing, unknown or wrong.
    """
    try:
        return ConnectorConfig.model_validate(values or {})
    except ValidationError as error:
        raise StartError(
            f"plugin {name} in the gateway's plugins file: {validation_message(error, 'config')}"
        ) from None
