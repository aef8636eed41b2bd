"""Test helpers for plugins: a host or a server in this process, clients, throw-away certificates, socket folders."""

from __future__ import annotations

from .certificates import Certificates, throwaway_certificates
from .client import Answer, PluginClient
from .hosting import hosted
from .serving import PluginServer, served, socket_folder

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
