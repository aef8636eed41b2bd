"""Every setting of the server, declared once: its variables, its place in the YAML file, its option and its default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..settings.parsers import count, names, one_of, port, positive, size, switch, token, user_ids
from ..settings.table import Setting, Table
from ..tls.settings import parse_client_auth

CONFIG_PATH = Setting(("PLUGINS_CONFIG_PATH",), "the configuration file", default="./resources/plugins/config.yaml")
LOG_LEVEL = Setting(("PLUGINS_LOG_LEVEL",), "the least level that is logged", default="INFO")
LOG_FORMAT = Setting(("PLUGINS_LOG_FORMAT",), "how log lines are written: text or json", default="text")


def _tls(transport: str, block: str, prefix: str, client_auth: tuple[str, ...] = ()) -> Table:
    """The TLS settings of a transport.

    Args:
        transport: its name.
        block: its block in the configuration file.
        prefix: what the names of its variables begin with.
        client_auth: further variables for `client_auth`: on HTTP, the peers' name for it, with ssl's numbers.
    """

    def setting(
        name: str,
        help: str,
        parse: Callable[[Any], Any] = str,
        default: Any = None,
        variable: str | None = None,
        also: tuple[str, ...] = (),
    ) -> tuple[str, Setting]:
        env = (prefix + (variable or name.upper()), *also)
        return f"{transport}.tls.{name}", Setting(env, f"{help} ({transport})", parse, default, (block, "tls", name))

    clients = "names of certificates that may call, separated by commas; empty for all"
    auth = "whether clients need a certificate: none, optional, require"
    return dict(
        [
            setting("enabled", "serve with TLS", switch),
            setting("certfile", "file with the server's certificate"),
            setting("keyfile", "file with the server's key"),
            setting("keyfile_password", "password of the key"),
            setting("ca_bundle", "file with the authorities of the clients' certificates", variable="CA_CERTS"),
            setting("client_auth", auth, parse_client_auth, "require", also=client_auth),
            setting("allowed_clients", clients, names, ()),
        ]
    )


SETTINGS: Table = {
    "transports": Setting(
        ("PLUGINS_TRANSPORT",), "transports to serve, separated by commas", names, ("http",), flag="--transport"
    ),
    "hook_timeout": Setting(
        ("PLUGINS_HOOK_TIMEOUT",),
        "seconds that a hook may take",
        positive,
        25.0,
        ("plugin_settings", "plugin_timeout"),
        "--hook-timeout",
    ),
    "grace": Setting(
        ("PLUGINS_SHUTDOWN_GRACE",), "seconds that calls in flight get at the end", positive, 5.0, (), "--grace"
    ),
    "workers": Setting(
        ("PLUGINS_WORKERS",), "processes that serve the same ports and sockets", count, 1, (), "--workers"
    ),
    "limits.concurrent_hooks": Setting(
        ("PLUGINS_MAX_CONCURRENT_HOOKS",), "hooks that run at the same time; further calls are refused", count, 1000
    ),
    "limits.connections": Setting(
        ("PLUGINS_MAX_CONNECTIONS",), "connections of each transport; further ones are refused", count, 4096
    ),
    "limits.message_bytes": Setting(
        ("PLUGINS_MAX_MESSAGE_BYTES",), "the largest message that is read, in bytes", size, 16 * 1024 * 1024
    ),
    "limits.header_bytes": Setting(
        ("PLUGINS_MAX_HEADER_BYTES",), "the largest headers of a request, in bytes", size, 64 * 1024
    ),
    "limits.idle": Setting(
        ("PLUGINS_IDLE_TIMEOUT",), "seconds after which a connection without calls is closed", positive, 300.0
    ),
    "limits.read_time": Setting(
        ("PLUGINS_READ_TIMEOUT",), "seconds in which a request that has begun must arrive", positive, 10.0
    ),
    "limits.uids": Setting(
        ("PLUGINS_ALLOWED_UIDS",), "users who may connect to Unix sockets, by id; empty for all", user_ids, ()
    ),
    "admin.host": Setting(("PLUGINS_ADMIN_HOST",), "address of health and metrics", str, "127.0.0.1"),
    "admin.port": Setting(
        ("PLUGINS_ADMIN_PORT",), "port of health and metrics, for all transports; off unless set", port
    ),
    "log_calls": Setting(
        ("PLUGINS_LOG_CALLS",),
        "calls that are logged: all, none, or notable for those that were blocked or went wrong",
        one_of("all", "notable", "none"),
        "notable",
    ),
    "otel": Setting(("PLUGINS_OTEL_ENABLED",), "send OpenTelemetry traces", switch, False),
    "dev": Setting(
        ("PLUGINS_DEV",),
        "warn about what the gateway will not call or not take; log exceptions in full",
        switch,
        False,
    ),
    "http.host": Setting(
        ("PLUGINS_SERVER_HOST",), "address of HTTP", str, "127.0.0.1", ("server_settings", "host"), "--host"
    ),
    "http.port": Setting(
        ("PLUGINS_SERVER_PORT",), "port of HTTP; 0 for a free one", port, 8000, ("server_settings", "port"), "--port"
    ),
    "http.uds": Setting(
        ("PLUGINS_SERVER_UDS",), "Unix socket of HTTP, instead of a port", yaml=("server_settings", "uds"), flag="--uds"
    ),
    "http.token": Setting(
        ("PLUGINS_SERVER_TOKEN",),
        "what callers of HTTP must show in the header X-Plugin-Token",
        token,
        yaml=("server_settings", "token"),
        secret=True,
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
        port,
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
        positive,
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
    **_tls("http", "server_settings", "PLUGINS_SERVER_SSL_", client_auth=("PLUGINS_SERVER_SSL_CERT_REQS",)),
    **_tls("grpc", "grpc_server_settings", "PLUGINS_GRPC_SERVER_SSL_"),
}
