"""Every setting of the server, declared once: its variables, its place in the YAML file, its option and its default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        env: the environment variables that set it, the first one counts most.
        help: what it is, for people.
        parse: turns text, or a value of the YAML file, into the setting's type; raises ValueError.
        default: the value when nobody sets it.
        yaml: its path in the configuration file.
        flag: its option of the command line.
    """

    env: tuple[str, ...]
    help: str
    parse: Callable[[Any], Any] = str
    default: Any = None
    yaml: tuple[str, ...] = ()
    flag: str | None = None


def _port(value: Any) -> int:
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    return number


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError("must be a number above 0")
    return number


def _size(value: Any) -> int:
    number = int(value)
    if not 1024 <= number <= 1 << 30:
        raise ValueError("must be a number of bytes from 1024 to 1073741824")
    return number


def _switch(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError("must be true or false")
    return words[word]


def _names(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def _cert_reqs(value: Any) -> str:
    """Accept the words and the numbers of Python's ssl module, which the peers use for HTTP."""
    return {"0": "none", "1": "optional", "2": "require"}.get(str(value).strip(), str(value).strip())


CONFIG_PATH = Setting(("PLUGINS_CONFIG_PATH",), "the configuration file", default="./resources/plugins/config.yaml")
LOG_LEVEL = Setting(("PLUGINS_LOG_LEVEL",), "the least level that is logged", default="INFO")

SETTINGS: dict[str, Setting] = {
    "transports": Setting(
        ("PLUGINS_TRANSPORT",), "transports to serve, separated by commas", _names, ("http",), flag="--transport"
    ),
    "hook_timeout": Setting(
        ("PLUGINS_HOOK_TIMEOUT",),
        "seconds that a hook may take",
        _positive,
        25.0,
        ("plugin_settings", "plugin_timeout"),
        "--hook-timeout",
    ),
    "grace": Setting(
        ("PLUGINS_SHUTDOWN_GRACE",), "seconds that calls in flight get at the end", _positive, 5.0, (), "--grace"
    ),
    "max_message_bytes": Setting(
        ("PLUGINS_MAX_MESSAGE_BYTES",), "the largest message that is read, in bytes", _size, 16 * 1024 * 1024
    ),
    "http.host": Setting(
        ("PLUGINS_SERVER_HOST",), "address of HTTP", str, "127.0.0.1", ("server_settings", "host"), "--host"
    ),
    "http.port": Setting(
        ("PLUGINS_SERVER_PORT",), "port of HTTP; 0 for a free one", _port, 8000, ("server_settings", "port"), "--port"
    ),
    "http.uds": Setting(
        ("PLUGINS_SERVER_UDS",), "Unix socket of HTTP, instead of a port", yaml=("server_settings", "uds"), flag="--uds"
    ),
    "grpc.host": Setting(
        ("PLUGINS_GRPC_SERVER_HOST",),
        "address of gRPC",
        str,
        "127.0.0.1",
        ("grpc_server_settings", "host"),
        "--grpc-host",
    ),
    "grpc.port": Setting(
        ("PLUGINS_GRPC_SERVER_PORT",),
        "port of gRPC; 0 for a free one",
        _port,
        50051,
        ("grpc_server_settings", "port"),
        "--grpc-port",
    ),
    "grpc.uds": Setting(
        ("PLUGINS_GRPC_SERVER_UDS",),
        "Unix socket of gRPC; together with a port, both are served",
        yaml=("grpc_server_settings", "uds"),
        flag="--grpc-uds",
    ),
    "unix.path": Setting(
        ("PLUGINS_UNIX_SOCKET_PATH", "UNIX_SOCKET_PATH"),
        "path of the length-prefixed Unix socket",
        str,
        "/tmp/mcpgateway-plugins.sock",
        ("unix_socket_server_settings", "path"),
        "--socket",
    ),
}

_TLS: dict[str, tuple[str, Callable[[Any], Any], Any]] = {
    "enabled": ("serve with TLS", _switch, None),
    "certfile": ("file with the server's certificate", str, None),
    "keyfile": ("file with the server's key", str, None),
    "keyfile_password": ("password of the key", str, None),
    "ca_bundle": ("file with the authorities of the clients' certificates", str, None),
    "client_auth": ("whether clients need a certificate: none, optional, require", _cert_reqs, "require"),
    "allowed_clients": ("names of certificates that may call, separated by commas; empty for all", _names, ()),
}
_TLS_ENV = {"ca_bundle": "CA_CERTS", "keyfile_password": "KEYFILE_PASSWORD"}

for _transport, _prefix, _block in (
    ("http", "PLUGINS_SERVER_SSL_", "server_settings"),
    ("grpc", "PLUGINS_GRPC_SERVER_SSL_", "grpc_server_settings"),
):
    for _name, (_help, _parse, _default) in _TLS.items():
        _env = [_prefix + _TLS_ENV.get(_name, _name.upper())]
        if (_transport, _name) == ("http", "client_auth"):
            # The peers' name for it on HTTP, with ssl's numbers.
            _env.append("PLUGINS_SERVER_SSL_CERT_REQS")
        SETTINGS[f"{_transport}.tls.{_name}"] = Setting(
            tuple(_env), f"{_help} ({_transport})", _parse, _default, (_block, "tls", _name)
        )
