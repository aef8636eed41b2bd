"""What a test serves: a plugin's class with its settings, or a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import StartError
from ...host.config import ConfigFile, PluginConfig, load_config_file
from ...host.loader import add_plugin_dirs, implemented_by
from ...host.plugin import Plugin

Source = type[Plugin] | Path
"""A plugin's class, or the path of a configuration file."""


def config_file(source: Source, config: Mapping[str, Any] | None) -> ConfigFile:
    """The configuration of a server for tests.

    Args:
        source: a plugin's class, or a configuration file.
        config: the settings of the plugin's class; those of the file stand in the file.

    Raises:
        StartError: the file or the class cannot be used.
    """
    if isinstance(source, Path):
        if config is not None:
            raise StartError(f"{source}: the settings stand in the file; give config only together with a class")
        file = load_config_file(source)
        add_plugin_dirs(file.plugin_dirs, source.parent)
        return file
    if "<locals>" in source.__qualname__:
        raise StartError(f"{source.__qualname__}: define the class at the top of a module, where it can be imported")
    kind = f"{source.__module__}.{source.__qualname__}"
    entry = PluginConfig(name=source.__name__, kind=kind, hooks=implemented_by(source), config=dict(config or {}))
    return ConfigFile(plugins=[entry])


def package_of(file: ConfigFile) -> str:
    """The package that holds the first plugin of a configuration file."""
    return file.plugins[0].kind.partition(".")[0]
