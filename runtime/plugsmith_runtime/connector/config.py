"""Settings of the connector: `config` of its entry in the gateway's plugins file."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..client import ClientTls
from ..errors import StartError, validation_message

_PLAINTEXT_SCHEMES = ("unix", "grpc+unix", "http+unix", "http")
_TLS_SCHEMES = ("grpc", "grpcs", "https")


class TlsConfig(BaseModel):
    """Certificate files of a client; the connector reads them again when they change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca_bundle: str
    """File with the authorities that may sign the server's certificate."""
    certfile: str | None = None
    """File with the gateway's certificate, for servers that ask for one."""
    keyfile: str | None = None
    """File with the certificate's key."""
    keyfile_password: str | None = Field(default=None, repr=False)
    """Password of the key."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the files that are set."""
        return tuple(path for path in (self.ca_bundle, self.certfile, self.keyfile) if path)


class ConnectionConfig(BaseModel):
    """Settings of the connection to a server; plugins with equal settings share their connections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str
    """unix:///path, grpc://host:port, grpc+unix:///path, https://host:port/mcp, http://host:port/mcp, http+unix:///path."""
    tls: TlsConfig | None = None
    """Certificates, for grpc and https."""
    deadline: float = Field(default=27.0, gt=0)
    """Seconds that a call may take: above the server's limit for a hook (25), below the gateway's for a plugin (30)."""
    connect_timeout: float = Field(default=5.0, gt=0)
    """Seconds that connecting may take."""
    connections: int = Field(default=1, ge=1, le=100)
    """Number of connections to unix and grpc, where one carries any number of calls; more than one spread the calls
    over the server's workers. Over http, and with a unix server of version 1, each call in flight has its own."""
    breaker_failures: int = Field(default=5, ge=1)
    """Calls in a row without an answer in time after which calls fail at once, until the plugin answers a probe."""

    @model_validator(mode="after")
    def _check_endpoint(self) -> ConnectionConfig:
        scheme, separator, address = self.endpoint.partition("://")
        if not separator or scheme not in _PLAINTEXT_SCHEMES + _TLS_SCHEMES or not address:
            known = ", ".join(f"{name}://" for name in sorted({*_PLAINTEXT_SCHEMES, *_TLS_SCHEMES}))
            raise ValueError(f"endpoint {self.endpoint!r} starts with none of {known}")
        if self.tls is not None and scheme in _PLAINTEXT_SCHEMES:
            raise ValueError(f"tls is set, but {scheme} carries none: use grpc:// or https://, or leave tls out")
        if scheme == "grpcs" and self.tls is None:
            raise ValueError("grpcs needs tls with a ca_bundle")
        return self

    @property
    def connection_per_call(self) -> bool:
        """Whether each call in flight has a connection of its own, as over http; one client holds them all."""
        return self.endpoint.startswith("http")

    @property
    def pool_size(self) -> int:
        """Number of clients to keep connected."""
        return 1 if self.connection_per_call else self.connections

    @property
    def address(self) -> str:
        """The endpoint in the form that clients take: gRPC with TLS is grpcs."""
        return f"grpcs{self.endpoint[4:]}" if self.tls and self.endpoint.startswith("grpc:") else self.endpoint

    @property
    def client_tls(self) -> ClientTls | None:
        """The certificates in the form that clients take."""
        return ClientTls(**self.tls.model_dump()) if self.tls else None


class ConnectorConfig(ConnectionConfig):
    """All settings of an entry in the plugins file."""

    plugin: str | None = None
    """The plugin's name at the server, when it differs from the entry's."""
    on_unavailable: Literal["deny", "allow"] = "deny"
    """Policy for calls that the plugin cannot be asked about: block them, or let them pass and log them."""
    required_at_start: bool = False
    """Whether the gateway refuses to start while the plugin is down."""

    @property
    def connection(self) -> ConnectionConfig:
        """The settings of the connection alone."""
        return ConnectionConfig.model_validate(self.model_dump(include=set(ConnectionConfig.model_fields)))


def read_config(name: str, values: dict[str, Any] | None) -> ConnectorConfig:
    """Read and check the settings of an entry.

    Args:
        name: the name of the entry.
        values: `config` of the entry.

    Raises:
        StartError: a setting is missing, unknown or wrong.
    """
    try:
        return ConnectorConfig.model_validate(values or {})
    except ValidationError as error:
        raise StartError(
            f"plugin {name} in the gateway's plugins file: {validation_message(error, 'config')}"
        ) from None


def read_policy(values: dict[str, Any] | None) -> Literal["deny", "allow"]:
    """Read `on_unavailable` alone, from settings that may be wrong in other places: only a clear "allow" allows."""
    return "allow" if isinstance(values, dict) and values.get("on_unavailable") == "allow" else "deny"


def check_packages(config: ConnectionConfig) -> None:
    """Check that the gateway has the packages that the client needs.

    Raises:
        StartError: a package is missing.
    """
    if config.connection_per_call or (find_spec("google") is not None and find_spec("google.protobuf") is not None):
        return
    # The distribution that brought this package: a plugin's, or plugsmith-runtime.
    distribution = __name__.partition(".")[0].replace("_", "-")
    raise StartError(f"{config.endpoint} needs protobuf: install {distribution}[connector] into the gateway")
