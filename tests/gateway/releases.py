"""The releases of the gateways' plugin framework whose clients are driven here, and what each gateway fires."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import environment
from tests.support.rendering import ALL_HOOKS

WAYS = ["http", "stdio", "grpc", "grpc+unix", "unix"]


@dataclass(frozen=True)
class Release:
    """One release of the framework.

    Attributes:
        name: what it is called in tables.
        gateways: the gateways that came with it.
        framework: the module that holds its names.
        requirements: what pip installs.
        hooks: the hooks that those gateways fire.
    """

    name: str
    gateways: str
    framework: str
    requirements: tuple[str, ...]
    hooks: tuple[str, ...] = tuple(ALL_HOOKS)

    @property
    def python(self) -> Path:
        """The Python of an environment that has the release; made on first use."""
        return environment("gateway", self.requirements)


GATEWAY_1_0_0 = Release(
    "gateway 1.0.0",
    "1.0.0",
    "mcpgateway.plugins.framework",
    ("mcp-contextforge-gateway[grpc]==1.0.0", "mcp<2"),
    # It defines the hooks of agents and fires none of them; 1.0.2 is the first that does.
    tuple(hook for hook in ALL_HOOKS if not hook.startswith("agent_")),
)

RELEASES = [
    GATEWAY_1_0_0,
    Release("cpex 0.1.0", "1.0.1 to 1.0.10", "cpex.framework", ("cpex[grpc]==0.1.0", "mcp<2")),
    Release("cpex 0.1.3", "1.0.1 to 1.0.10", "cpex.framework", ("cpex[grpc]==0.1.3", "mcp<2")),
    Release("cpex 0.1.4", "1.0.11, 1.1.0", "cpex.framework", ("cpex[grpc]==0.1.4", "mcp>=2")),
]
