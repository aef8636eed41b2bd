"""Layout of certificate files on disk, as gateways expect it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import StartError

Usage = Literal["ca", "client", "server"]

DEFAULT_FOLDER = "certs/mcp"
"""Folder of all certificates below the working folder, where the gateway's own make targets put them."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class KeyPairPaths:
    """Paths of one certificate, its private key, and the authority's certificate beside them.

    Attributes:
        folder: the folder of the files.
        usage: the use that the certificate allows.
        name: the name of the certificate's owner.
    """

    folder: Path
    usage: Usage
    name: str

    @property
    def certificate(self) -> Path:
        """File of the certificate."""
        return self.folder / f"{self.usage}.crt"

    @property
    def key(self) -> Path:
        """File of the private key."""
        return self.folder / f"{self.usage}.key"

    @property
    def ca(self) -> Path:
        """File of the authority's certificate, which the owner of this key pair trusts."""
        return self.folder / "ca.crt"


@dataclass(frozen=True)
class CertificateLayout:
    """Folder of all certificates, `certs/mcp` by default."""

    root: Path

    @property
    def ca(self) -> KeyPairPaths:
        """Key pair of the authority."""
        return KeyPairPaths(self.root / "ca", "ca", "MCP plugin CA")

    @property
    def gateway(self) -> KeyPairPaths:
        """Key pair of the gateway, for client certificates."""
        return KeyPairPaths(self.root / "gateway", "client", "mcp-gateway")

    def plugin(self, name: str) -> KeyPairPaths:
        """Key pair of a plugin, for server certificates.

        Args:
            name: the plugin's name.

        Raises:
            StartError: the name cannot be that of a folder.
        """
        if not _SAFE_NAME.fullmatch(name):
            raise StartError(
                f"plugin name {name!r}: use letters, digits, '.', '_' and '-', starting with a letter or digit"
            )
        return KeyPairPaths(self.root / "plugins" / name, "server", name)

    def existing(self) -> Iterator[KeyPairPaths]:
        """Key pairs whose folders exist, the authority's first."""
        pairs = [self.ca, self.gateway]
        pairs += [KeyPairPaths(path, "server", path.name) for path in sorted((self.root / "plugins").glob("*"))]
        return (pair for pair in pairs if pair.folder.is_dir())


def own_name(package: str) -> str:
    """Default name of a plugin's certificate: the name of its package, with hyphens."""
    return package.replace("_", "-")
