"""Where the files lie: the layout that gateways expect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import StartError

Usage = Literal["ca", "client", "server"]

DEFAULT_FOLDER = "certs/mcp"
"""Where the gateway's own targets put certificates, below the working folder."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class KeyPairPaths:
    """One certificate, its key, and the authority's certificate beside it.

    Attributes:
        folder: the folder with the files.
        usage: what the certificate is for.
        name: the name of its owner.
    """

    folder: Path
    usage: Usage
    name: str

    @property
    def certificate(self) -> Path:
        """The certificate's file."""
        return self.folder / f"{self.usage}.crt"

    @property
    def key(self) -> Path:
        """The key's file."""
        return self.folder / f"{self.usage}.key"

    @property
    def ca(self) -> Path:
        """The authority's certificate: what the owner of this place trusts."""
        return self.folder / "ca.crt"


@dataclass(frozen=True)
class CertificateLayout:
    """The folder with all certificates, `certs/mcp` by default."""

    root: Path

    @property
    def ca(self) -> KeyPairPaths:
        """The authority."""
        return KeyPairPaths(self.root / "ca", "ca", "MCP plugin CA")

    @property
    def gateway(self) -> KeyPairPaths:
        """The gateway's client certificate."""
        return KeyPairPaths(self.root / "gateway", "client", "mcp-gateway")

    def plugin(self, name: str) -> KeyPairPaths:
        """A plugin's server certificate.

        Raises:
            StartError: the name cannot name a folder.
        """
        if not _SAFE_NAME.fullmatch(name):
            raise StartError(
                f"plugin name {name!r}: use letters, digits, '.', '_' and '-', starting with a letter or digit"
            )
        return KeyPairPaths(self.root / "plugins" / name, "server", name)

    def places(self) -> Iterator[KeyPairPaths]:
        """The places that exist, the authority first."""
        found = [self.ca, self.gateway]
        found += [KeyPairPaths(path, "server", path.name) for path in sorted((self.root / "plugins").glob("*"))]
        return (place for place in found if place.folder.is_dir())


def own_name(package: str) -> str:
    """The name of a plugin's certificate when nobody gives another: that of its package, with hyphens."""
    return package.replace("_", "-")
