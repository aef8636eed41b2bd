"""The releases that tests run: of the gateways' plugin framework, by itself, and of whole gateways."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import environment
from tests.support.pythons import find_python
from tests.support.rendering import ALL_HOOKS

TRANSPORTS = ["http", "stdio", "grpc", "grpc+unix", "unix"]


@dataclass(frozen=True)
class FrameworkRelease:
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


FRAMEWORK_OF_1_0_0 = FrameworkRelease(
    "gateway 1.0.0",
    "1.0.0",
    "mcpgateway.plugins.framework",
    ("mcp-contextforge-gateway[grpc]==1.0.0", "mcp<2"),
    # It defines the hooks of agents and fires none of them; 1.0.2 is the first that does.
    tuple(hook for hook in ALL_HOOKS if not hook.startswith("agent_")),
)

FRAMEWORK_RELEASES = [
    FRAMEWORK_OF_1_0_0,
    FrameworkRelease("cpex 0.1.0", "1.0.1 to 1.0.10", "cpex.framework", ("cpex[grpc]==0.1.0", "mcp<2")),
    FrameworkRelease("cpex 0.1.3", "1.0.1 to 1.0.10", "cpex.framework", ("cpex[grpc]==0.1.3", "mcp<2")),
    FrameworkRelease("cpex 0.1.4", "1.0.11, 1.1.0", "cpex.framework", ("cpex[grpc]==0.1.4", "mcp>=2")),
]


@dataclass(frozen=True)
class GatewayRelease:
    """One release of the gateway.

    Attributes:
        version: its version.
        python_version: the Python that it runs on.
        requirements: what pip installs.
        reads_plugin_dirs: whether it finds gateway plugins by `plugin_dirs`; otherwise it needs a PYTHONPATH.
    """

    version: str
    python_version: str
    requirements: tuple[str, ...]
    reads_plugin_dirs: bool

    @property
    def python_there(self) -> bool:
        """Whether this machine has the Python that it runs on."""
        return find_python(self.python_version) is not None

    @property
    def python(self) -> Path:
        """The Python of an environment that has the gateway; made on first use."""
        found = find_python(self.python_version)
        return environment(f"gateway-{self.version}", self.requirements, str(found) if found else self.python_version)


GATEWAY_RELEASES = [
    GatewayRelease("1.0.0", "3.11", ("mcp-contextforge-gateway[grpc]==1.0.0", "mcp<2"), reads_plugin_dirs=False),
    GatewayRelease("1.1.0", "3.12", ("mcp-contextforge-gateway[grpc]==1.1.0",), reads_plugin_dirs=True),
]
