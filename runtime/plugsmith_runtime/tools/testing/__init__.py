"""What a plugin's tests use: the plugin in this process, a client for each transport, certificates, socket folders.

The fixtures of `testing.fixtures` come with it; tests/conftest.py names that module in `pytest_plugins`.
"""

from __future__ import annotations

from .answers import Answer
from .certificates import Certificates, throwaway_certificates
from .client import PluginClient
from .folders import socket_folder
from .hosting import hosted
from .serving import PluginServer, served

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
