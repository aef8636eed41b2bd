"""The matrix of plugin entries: transports, and who is the client inside the gateway."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml


@dataclass(frozen=True)
class Variant:
    """One variant of the plugin entry in the gateway's file.

    Attributes:
        name: what it is called in test names.
        client: who calls the plugin inside the gateway, as the table says it.
        transport: "http", "stdio", "grpc", "grpc+unix" or "unix".
        tls: whether both sides show certificates.
        arguments: further arguments of `gateway-config`.
        python_path: folders of the rendered repository that the gateway must have on its PYTHONPATH.
        plugin_dirs: folders of it that the printed file names in `plugin_dirs`, which not every release reads.
        edit: makes the gateway's file of the printed one and the repository's folder, when it is not the printed one.
        unavailable: for the connector, what becomes of calls while the plugin is down; None with the gateway's client.
    """

    name: str
    client: str
    transport: str
    tls: bool = False
    arguments: tuple[str, ...] = ()
    python_path: tuple[str, ...] = ()
    plugin_dirs: tuple[str, ...] = ()
    edit: Callable[[str, Path], str] | None = None
    unavailable: Literal["deny", "allow"] | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """What it goes through, by the names in scenario.STEPS."""
        first = ("boots",) if self.unavailable else ()
        return (*first, "redacted", "blocked", "failed", "down", "recovers")

    def options(self, folder: Path) -> list[str]:
        """Options that `serve` and `gateway-config` have in common: where the plugin listens.

        Args:
            folder: where to put sockets.
        """
        where = {
            "stdio": [],
            "http": ["--port", str(free_port())],
            "grpc": ["--grpc-port", str(free_port()), "--grpc-uds", ""],
            "grpc+unix": ["--grpc-uds", str(folder / "grpc.sock")],
            "unix": ["--socket", str(folder / "plugin.sock")],
        }[self.transport]
        return ["--transport", self.transport.partition("+")[0], *where, *(["--tls"] if self.tls else [])]


def free_port() -> int:
    """A port that was free a moment ago: the plugin must come back to it after a restart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _of_compose(printed: str, repository: Path) -> str:
    """The file that compose.yaml gives to its gateway, with this machine's address and folder of certificates."""
    (entry,) = yaml.safe_load(printed)["plugins"]
    content = yaml.safe_load((repository / "deploy" / "gateway-plugins.yaml").read_text())
    mcp = content["plugins"][0]["mcp"]
    mcp |= {"url": entry["mcp"]["url"], "tls": {name: entry["mcp"]["tls"][name] for name in mcp["tls"]}}
    return yaml.safe_dump(content)


def _allowing(printed: str, repository: Path) -> str:
    """A file whose connector lets calls pass while the plugin is down."""
    return printed.replace("on_unavailable: deny", "on_unavailable: allow")


def _connector(
    transport: str, tls: bool = False, unavailable: Literal["deny", "allow"] = "deny", suffix: str = ""
) -> Variant:
    name = f"connector-{transport.replace('+', '-')}{'-mtls' if tls else ''}{suffix}"
    edit = _allowing if unavailable == "allow" else None
    client = _CONNECTOR if unavailable == "deny" else f"{_CONNECTOR}, `on_unavailable: allow`"
    return Variant(
        name, client, transport, tls, arguments=("--connector",), python_path=("src",), edit=edit,
        unavailable=unavailable,
    )  # fmt: skip


_CONNECTOR = "the connector"
_EXTERNAL = "external"
_SHIMMED = "external, after PlainContext"
_SHIM = ("resources/gateway",)

VARIANTS = [
    Variant("http", _EXTERNAL, "http"),
    Variant("http-mtls", _EXTERNAL, "http", tls=True),
    Variant("compose", "external, as in compose.yaml", "http", tls=True, edit=_of_compose),
    Variant("stdio", _EXTERNAL, "stdio"),
    Variant("grpc", _SHIMMED, "grpc", plugin_dirs=_SHIM),
    Variant("grpc-mtls", _SHIMMED, "grpc", tls=True, plugin_dirs=_SHIM),
    Variant("grpc-unix", _SHIMMED, "grpc+unix", plugin_dirs=_SHIM),
    Variant("unix", _SHIMMED, "unix", plugin_dirs=_SHIM),
    _connector("http"),
    _connector("http", tls=True),
    _connector("grpc"),
    _connector("grpc", tls=True),
    _connector("grpc+unix"),
    _connector("unix"),
    _connector("unix", unavailable="allow", suffix="-allow"),
]
