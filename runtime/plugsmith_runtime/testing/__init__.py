"""Test helpers for plugins: a host or a server in this process, clients, throw-away certificates, socket folders."""

from __future__ import annotations

from ..tools.testing.certificates import Certificates, throwaway_certificates
from ..tools.testing.client import Answer, PluginClient
from ..tools.testing.hosting import hosted
from ..tools.testing.serving import PluginServer, served, socket_folder

__all__ = [
    "Answer",
    "Certificates",
    "PluginClient",
    "PluginServer",
    "hosted",
    "served",
    "socket_folder",
    "throwaway_certificates",
]
