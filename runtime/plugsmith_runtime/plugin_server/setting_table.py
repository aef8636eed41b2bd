"""Every setting of the server, declared once: its variables, its place in the YAML file, its option and its default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import StartError
from ..tls.settings import parse_client_auth


class Setting(NamedTuple):
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


def _count(value: Any) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("must be a whole number above 0")
    return number


def _uids(value: Any) -> tuple[int, ...]:
    try:
        return tuple(int(name) for name in _names(value))
    except ValueError:
        raise ValueError("must be user ids (numbers), separated by commas") from None


def _size(value: Any) -> int:
    number = int(value)
    if not 1024 <= number <= 1 << 30:
        raise ValueError("must be a number of bytes from 1024 to 1073741824")
    return number


def _one_of(*words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return word

    return parse


def _token(value: Any) -> str:
    token = str(value)
    if not (len(token) >= 16 and token.isascii() and token.isprintable() and " " not in token):
        # Without the value, which an error of the usual kind would show.
        raise StartError("PLUGINS_SERVER_TOKEN: a token has at least 16 characters of ASCII, and no spaces")
    return token


def _switch(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError("must be true or false")
    return words[word]


def _names(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


CONFIG_PATH = Setting(("PLUGINS_CONFIG_PATH",), "the configuration file", default="./resources/plugins/config.yaml")
LOG_LEVEL = Setting(("PLUGINS_LOG_LEVEL",), "the least level that is logged", default="INFO")
LOG_FORMAT = Setting(("PLUGINS_LOG_FORMAT",), "how log lines are written: text or json", default="text")

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
    "workers": Setting(
        ("PLUGINS_WORKERS",), "processes that serve the same ports and sockets", _count, 1, (), "--workers"
    ),
    "limits.concurrent_hooks": Setting(
        ("PLUGINS_MAX_CONCURRENT_HOOKS",), "hooks that run at the same time; further calls are refused", _count, 1000
    ),
    "limits.connections": Setting(
        ("PLUGINS_MAX_CONNECTIONS",), "connections of each transport; further ones are refused", _count, 4096
    ),
    "limits.message_bytes": Setting(
        ("PLUGINS_MAX_MESSAGE_BYTES",), "the largest message that is read, in bytes", _size, 16 * 1024 * 1024
    ),
    "limits.header_bytes": Setting(
        ("PLUGINS_MAX_HEADER_BYTES",), "the largest headers of a request, in bytes", _size, 64 * 1024
    ),
    "limits.idle": Setting(
        ("PLUGINS_IDLE_TIMEOUT",), "seconds after which a connection without calls is closed", _positive, 300.0
    ),
    "limits.read_time": Setting(
        ("PLUGINS_READ_TIMEOUT",), "seconds in which a request that has begun must arrive", _positive, 10.0
    ),
    "limits.uids": Setting(
        ("PLUGINS_ALLOWED_UIDS",), "users who may connect to Unix sockets, by id; empty for all", _uids, ()
    ),
    "admin.host": Setting(("PLUGINS_ADMIN_HOST",), "address of health and metrics", str, "127.0.0.1"),
    "admin.port": Setting(
        ("PLUGINS_ADMIN_PORT",), "port of health and metrics, for all transports; off unless set", _port
    ),
    "log_calls": Setting(
        ("PLUGINS_LOG_CALLS",),
        "calls that are logged: all, none, or notable for those that were blocked or went wrong",
        _one_of("all", "notable", "none"),
        "notable",
    ),
    "otel": Setting(("PLUGINS_OTEL_ENABLED",), "send OpenTelemetry traces", _switch, False),
    "dev": Setting(
        ("PLUGINS_DEV",),
        "warn about what the gateway will not call or not take; log exceptions in full",
        _switch,
        False,
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
    "http.token": Setting(
        ("PLUGINS_SERVER_TOKEN",),
        "what callers of HTTP must show in the header X-Plugin-Token",
        _token,
        yaml=("server_settings", "token"),
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
    "grpc.max_connection_age": Setting(
        ("PLUGINS_GRPC_MAX_CONNECTION_AGE",),
        "seconds after which clients connect anew, so that new replicas get calls; unlimited unless set",
        _positive,
        yaml=("grpc_server_settings", "max_connection_age"),
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
    "client_auth": ("whether clients need a certificate: none, optional, require", parse_client_auth, "require"),
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
