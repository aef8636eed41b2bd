"""The public names of a plugin: base classes, hook models, errors, and helpers for text.

They are imported when somebody asks for them (PEP 562): to import a module of this package loads none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .contract.hooks import *  # noqa: F403 - the names are those of hooks.__all__
    from .host.config import PluginCondition as PluginCondition
    from .host.config import PluginConfig as PluginConfig
    from .host.config import PluginMode as PluginMode
    from .host.docker import AuditEvent as AuditEvent
    from .host.docker import AuditPlugin as AuditPlugin
    from .host.docker import AuthPlugin as AuthPlugin
    from .host.docker import Credential as Credential
    from .host.docker import CredentialInfo as CredentialInfo
    from .host.docker import CredentialKey as CredentialKey
    from .host.docker import CredentialOwner as CredentialOwner
    from .host.docker import CredentialPlugin as CredentialPlugin
    from .host.docker import CredentialValue as CredentialValue
    from .host.docker import Metric as Metric
    from .host.docker import NewCredential as NewCredential
    from .host.docker import TelemetryPlugin as TelemetryPlugin
    from .host.docker import UserPrincipal as UserPrincipal
    from .host.errors import PluginError as PluginError
    from .host.errors import PluginErrorModel as PluginErrorModel
    from .host.errors import PluginViolationError as PluginViolationError
    from .host.plugin import Plugin as Plugin
    from .host.plugin import PluginSettings as PluginSettings
    from .host.text import map_strings as map_strings
    from .host.text import strings as strings
else:
    _MODULES = {
        "AuditEvent": "host.docker",
        "AuditPlugin": "host.docker",
        "AuthPlugin": "host.docker",
        "Credential": "host.docker",
        "CredentialInfo": "host.docker",
        "CredentialKey": "host.docker",
        "CredentialOwner": "host.docker",
        "CredentialPlugin": "host.docker",
        "CredentialValue": "host.docker",
        "Metric": "host.docker",
        "NewCredential": "host.docker",
        "Plugin": "host.plugin",
        "PluginCondition": "host.config",
        "PluginConfig": "host.config",
        "PluginError": "host.errors",
        "PluginErrorModel": "host.errors",
        "PluginMode": "host.config",
        "PluginSettings": "host.plugin",
        "PluginViolationError": "host.errors",
        "TelemetryPlugin": "host.docker",
        "UserPrincipal": "host.docker",
        "map_strings": "host.text",
        "strings": "host.text",
    }

    def __getattr__(name: str) -> Any:
        """Import a public name, or list all of them as `__all__`."""
        if name in _MODULES:
            value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        elif name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        else:
            hooks = import_module(".contract.hooks", __name__)
            if name == "__all__":
                value = ["__version__", *_MODULES, *hooks.__all__]
            elif name in hooks.__all__:
                value = getattr(hooks, name)
            else:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return [*globals(), *__getattr__("__all__")]
