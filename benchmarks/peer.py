"""The peer: cpex's server runtimes, serving the rendered plugin's own plugin.py with its import line changed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin
from tests.support.serving import config_file

REQUIREMENTS = ["cpex[grpc]==0.1.4"]

# What plugin.py imports from `.runtime`: the framework's names, and the two that the runtime has besides.
_RUNTIME = """
from cpex.framework import (
    Plugin as FrameworkPlugin, PluginConfig, PluginContext, PluginViolation,
    ToolPostInvokePayload, ToolPostInvokeResult, ToolPreInvokePayload, ToolPreInvokeResult,
)
from pydantic import BaseModel as PluginSettings

from .text import map_strings, strings


class Plugin(FrameworkPlugin):
    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        self.settings = self.Config.model_validate(config.config or {})
"""


@dataclass(frozen=True)
class Peer:
    """The peer's environment and plugin.

    Attributes:
        python: the interpreter of an environment with cpex.
        folder: where the plugin's package and its configuration file stand.
        config: the configuration file, the rendered one as it is.
    """

    python: Path
    folder: Path
    config: Path


def make_peer(folder: Path, plugin: RenderedPlugin) -> Peer:
    """Give cpex the plugin that the rendered repository serves.

    Args:
        folder: an empty folder to write into.
        plugin: the rendered plugin.
    """
    source = plugin.root / "src" / plugin.package
    package = folder / plugin.package
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "runtime.py").write_text(_RUNTIME)
    shutil.copy(source / "runtime" / "host" / "text.py", package)
    shutil.copy(source / "plugin.py", package)
    config = shutil.copy(config_file(plugin), folder / "config.yaml")
    return Peer(environment("cpex", REQUIREMENTS), folder, Path(config))
