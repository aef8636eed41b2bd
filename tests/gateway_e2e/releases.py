"""The gateways that are run, each in an environment of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import environment
from tests.support.pythons import find_python


@dataclass(frozen=True)
class Release:
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


RELEASES = [
    Release("1.0.0", "3.11", ("mcp-contextforge-gateway[grpc]==1.0.0", "mcp<2"), reads_plugin_dirs=False),
    Release("1.1.0", "3.12", ("mcp-contextforge-gateway[grpc]==1.1.0",), reads_plugin_dirs=True),
]
