"""The server's settings: command line before environment before YAML file before default, everywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import StartError
from ..host.config import ConfigFile
from .setting_table import CONFIG_PATH, SETTINGS, Setting
from .transports import TRANSPORTS

if TYPE_CHECKING:
    from ..tls.settings import TlsSettings


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


class _Resolver:
    """Looks settings up in their order and remembers which were given."""

    def __init__(self, cli: Mapping[str, Any], environ: Mapping[str, str], file: ConfigFile) -> None:
        self._cli = cli
        self._environ = environ
        self._file = file.model_dump()

    def given(self, name: str) -> Any:
        """The value that somebody set, parsed; None when it is left to the default."""
        setting = SETTINGS[name]
        for value, where in self._sources(setting):
            if value is not None and value != "":
                try:
                    return setting.parse(value)
                except ValueError as error:
                    raise StartError(f"{where}: {value!r}: {error}") from error
        return None

    def value(self, name: str) -> Any:
        """The value that somebody set, or the default."""
        found = self.given(name)
        return SETTINGS[name].default if found is None else found

    def _sources(self, setting: Setting) -> list[tuple[Any, str]]:
        sources: list[tuple[Any, str]] = []
        if setting.flag:
            sources.append((self._cli.get(setting.flag.lstrip("-").replace("-", "_")), setting.flag))
        sources += [(self._environ.get(name), name) for name in setting.env]
        if setting.yaml:
            block: Any = self._file
            for key in setting.yaml:
                block = block.get(key) if isinstance(block, dict) else None
            sources.append((block, ".".join(setting.yaml)))
        return sources


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
    _refuse_unknown_keys(file)
    look = _Resolver(cli, os.environ if environ is None else environ, file)
    transports = look.value("transports")
    for name in transports:
        if name not in TRANSPORTS:
            raise StartError(f"PLUGINS_TRANSPORT: unknown transport {name!r}; choose from {', '.join(TRANSPORTS)}")
    grpc_uds = look.value("grpc.uds")
    admin_port = look.given("admin.port")
    return ServerSettings(
        package=package,
        transports=transports,
        hook_timeout=look.value("hook_timeout"),
        grace=look.value("grace"),
        workers=look.value("workers"),
        limits=Limits(**{name: look.value(f"limits.{name}") for name in Limits._fields}),
        http=HttpSettings(
            look.value("http.host"),
            look.value("http.port"),
            look.value("http.uds"),
            _tls(look, "http", cli, package),
            look.value("http.token"),
        ),
        grpc=GrpcSettings(
            look.value("grpc.host"),
            look.value("grpc.port"),
            grpc_uds,
            grpc_uds is None or look.given("grpc.port") is not None,
            _tls(look, "grpc", cli, package),
            look.value("grpc.max_connection_age"),
        ),
        unix=UnixSettings(look.value("unix.path")),
        admin=None if admin_port is None else AdminSettings(look.value("admin.host"), admin_port),
        log_calls=look.value("log_calls"),
        otel=look.value("otel"),
        dev=look.value("dev"),
    )


def _tls(look: _Resolver, transport: str, cli: Mapping[str, Any], package: str) -> TlsSettings | None:
    if transport not in look.value("transports"):
        return None
    enabled = look.given(f"{transport}.tls.enabled")
    if cli.get("tls"):
        enabled = True
    certfile = look.given(f"{transport}.tls.certfile")
    keyfile = look.given(f"{transport}.tls.keyfile")
    # Files without the switch mean TLS: following half of the documentation must not serve plain text in silence.
    if enabled is False or (enabled is None and not (certfile or keyfile)):
        return None
    from ..tls.layout import DEFAULT_FOLDER, CertificateLayout, own_name
    from ..tls.settings import TlsSettings

    ca_bundle = look.given(f"{transport}.tls.ca_bundle")
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
        keyfile_password=look.given(f"{transport}.tls.keyfile_password"),
        ca_bundle=ca_bundle,
        client_auth=look.value(f"{transport}.tls.client_auth"),
        allowed_clients=look.value(f"{transport}.tls.allowed_clients"),
    )


def _refuse_unknown_keys(file: ConfigFile) -> None:
    known: dict[str, set[str]] = {}
    for setting in SETTINGS.values():
        if setting.yaml and len(setting.yaml) > 1:
            known.setdefault(".".join(setting.yaml[:-1]), set()).add(setting.yaml[-1])
    for block in ("server_settings", "grpc_server_settings", "unix_socket_server_settings"):
        _check_keys(getattr(file, block), block, known)


def _check_keys(values: dict[str, Any], path: str, known: dict[str, set[str]]) -> None:
    nested = {name.rpartition(".")[2] for name in known if name.startswith(f"{path}.")}
    for key, value in values.items():
        if key in nested and isinstance(value, dict):
            _check_keys(value, f"{path}.{key}", known)
        elif key not in known[path]:
            names = ", ".join(sorted(known[path] | nested))
            raise StartError(f"{path}: unknown key {key!r}; it knows {names}")
