"""The settings of a plugin server, resolved from command line, environment and configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StartError
from ..host.config import ConfigFile
from ..settings.table import Resolver, refuse_unknown_keys
from .setting_table import CONFIG_PATH, SETTINGS

if TYPE_CHECKING:
    from ..http.config import HttpConfig
    from ..net.connections import AllowedUsers, ConnectionLimiter
    from ..tls.settings import TlsSettings

TRANSPORTS = ("http", "stdio", "grpc", "unix")
_BLOCKS = ("server_settings", "grpc_server_settings", "unix_socket_server_settings")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where HTTP listens, `uds` instead of host and port, and the token that callers must show, when there is one."""

    host: str
    port: int
    uds: str | None
    tls: TlsSettings | None
    token: str | None = field(default=None, repr=False)


class GrpcSettings(NamedTuple):
    """Where gRPC listens: on host and port when `listen_tcp`, and on `uds` when it is set."""

    host: str
    port: int
    uds: str | None
    listen_tcp: bool
    tls: TlsSettings | None
    max_connection_age: float | None


class UnixSettings(NamedTuple):
    """Where the length-prefixed Unix socket listens."""

    path: str


class AdminSettings(NamedTuple):
    """Where health and metrics are read."""

    host: str
    port: int


class Limits(NamedTuple):
    """What callers may ask of each process of the server.

    Attributes:
        concurrent_hooks: hooks that run at the same time.
        connections: connections of each transport.
        message_bytes: the largest message that is read.
        header_bytes: the largest headers of a request.
        idle: seconds after which a connection without calls is closed.
        read_time: seconds in which a request that has begun must arrive.
        uids: users who may connect to Unix sockets; empty for all whom the file's mode lets in.
    """

    concurrent_hooks: int
    connections: int
    message_bytes: int
    header_bytes: int
    idle: float
    read_time: float
    uids: tuple[int, ...]


def http_config(limits: Limits, limiter: ConnectionLimiter, users: AllowedUsers | None = None) -> HttpConfig:
    """The limits as the HTTP engine takes them.

    Args:
        limits: the settings.
        limiter: counts the connections.
        users: who may connect to a Unix socket; None for all.
    """
    from ..http.config import HttpConfig
    from ..net.connections import AllowedUsers

    return HttpConfig(
        limiter,
        users or AllowedUsers(),
        limits.header_bytes,
        limits.read_time,
        limits.idle,
        lifespan="off",
        header_bytes_setting="PLUGINS_MAX_HEADER_BYTES",
        read_timeout_setting="PLUGINS_READ_TIMEOUT",
    )


class ServerSettings(NamedTuple):
    """All settings of a server; times in seconds, sizes in bytes.

    Attributes:
        package: the package of the plugin that is served.
    """

    package: str
    transports: tuple[str, ...]
    hook_timeout: float
    grace: float
    workers: int
    limits: Limits
    http: HttpSettings
    grpc: GrpcSettings
    unix: UnixSettings
    admin: AdminSettings | None
    log_calls: str
    otel: bool
    dev: bool

    @property
    def metrics(self) -> bool:
        """Whether anybody can read metrics; otherwise nothing is counted, and nothing imported for it."""
        return "http" in self.transports or self.admin is not None


def package_folder(package: str) -> Path:
    """The folder of an installed package.

    Args:
        package: the name under which it is imported.
    """
    return Path(import_module(package).__path__[0])


def find_config_path(given: str | None, environ: Mapping[str, str], package: str) -> Path:
    """Find the configuration file: the one that is named, else the usual place, else the one inside the package.

    Args:
        given: the path of the command line.
        environ: the environment.
        package: the plugin's package.
    """
    named = given or environ.get(CONFIG_PATH.env[0])
    if named:
        return Path(named)
    usual = Path(CONFIG_PATH.default)
    if usual.exists():
        return usual
    packaged = package_folder(package) / "resources" / "plugins" / "config.yaml"
    return packaged if packaged.exists() else usual


def resolve_settings(
    cli: Mapping[str, Any], file: ConfigFile, environ: Mapping[str, str] | None = None, *, package: str
) -> ServerSettings:
    """Work out all settings of a server.

    Args:
        cli: options of the command line by name; None for those not given.
        file: the configuration file.
        environ: the environment; that of the process when None.
        package: the package of the plugin that is served.

    Raises:
        StartError: a value does not fit, a key of the file is unknown, or settings contradict each other.
    """
    document = file.model_dump()
    refuse_unknown_keys(SETTINGS, document, _BLOCKS)
    settings = Resolver(SETTINGS, cli, document, environ)
    transports = settings.value("transports")
    for name in transports:
        if name not in TRANSPORTS:
            raise StartError(f"PLUGINS_TRANSPORT: unknown transport {name!r}; choose from {', '.join(TRANSPORTS)}")
    tls = {
        name: _tls(settings, name, package, bool(cli.get("tls"))) if name in transports else None
        for name in ("http", "grpc")
    }
    listen_tcp = settings.value("grpc.uds") is None or settings.given("grpc.port") is not None
    return settings.build(
        ServerSettings,
        "",
        package=package,
        transports=transports,
        limits=settings.build(Limits, "limits"),
        http=settings.build(HttpSettings, "http", tls=tls["http"]),
        grpc=settings.build(GrpcSettings, "grpc", tls=tls["grpc"], listen_tcp=listen_tcp),
        unix=settings.build(UnixSettings, "unix"),
        admin=None if settings.given("admin.port") is None else settings.build(AdminSettings, "admin"),
    )


def _tls(settings: Resolver, transport: str, package: str, demanded: bool) -> TlsSettings | None:
    """The TLS settings of a transport; None for plaintext."""
    enabled = True if demanded else settings.given(f"{transport}.tls.enabled")
    certfile = settings.given(f"{transport}.tls.certfile")
    keyfile = settings.given(f"{transport}.tls.keyfile")
    # Files without the switch mean TLS: following half of the documentation must not serve plain text in silence.
    if enabled is False or (enabled is None and not (certfile or keyfile)):
        return None
    from ..tls.layout import DEFAULT_FOLDER, CertificateLayout, own_name
    from ..tls.settings import TlsSettings

    ca_bundle = settings.given(f"{transport}.tls.ca_bundle")
    own = CertificateLayout(Path(DEFAULT_FOLDER)).plugin(own_name(package))
    if not certfile and not keyfile and own.certificate.exists():
        certfile, keyfile, ca_bundle = str(own.certificate), str(own.key), ca_bundle or str(own.ca)
    for value, name in ((certfile, "certfile"), (keyfile, "keyfile")):
        if not value:
            variable = SETTINGS[f"{transport}.tls.{name}"].env[0]
            raise StartError(
                f"TLS on {transport} is asked for, but no {name} is given; set {variable}, or make certificates in "
                f"{DEFAULT_FOLDER} (make certs-mcp-all)"
            )
    return TlsSettings(
        certfile=certfile,
        keyfile=keyfile,
        keyfile_password=settings.given(f"{transport}.tls.keyfile_password"),
        ca_bundle=ca_bundle,
        client_auth=settings.value(f"{transport}.tls.client_auth"),
        allowed_clients=settings.value(f"{transport}.tls.allowed_clients"),
    )
