"""The plugins of the configuration file: can they be loaded, and do the file and the code name the same hooks?"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...errors import StartError
from ...host.config import ConfigFile, PluginMode
from ...host.docker.methods import method_hooks
from ...host.hook_warnings import unimplemented_hooks, unlisted_hooks
from ...host.loader import add_plugin_dirs, implemented_hooks, load_plugin
from ...plugin_server.setting_table import CONFIG_PATH, LOG_FORMAT, LOG_LEVEL, SETTINGS
from . import Finding, problem

_MIN_SIMILARITY = 0.85


def check_plugins(path: Path, file: ConfigFile) -> Iterator[Finding]:
    """Load every plugin that is not disabled; none is initialized.

    Args:
        path: the configuration file.
        file: its content.
    """
    yield Finding("config", "ok", f"{path}: {len(file.plugins)} {'plugin' if len(file.plugins) == 1 else 'plugins'}")
    add_plugin_dirs(file.plugin_dirs, path.parent)
    for entry in file.plugins:
        if entry.mode is PluginMode.DISABLED:
            yield Finding("config", "note", f"plugin {entry.name} is disabled: the gateway does not call it")
            continue
        try:
            plugin = load_plugin(entry)
        except StartError as error:
            yield problem("config", error)
            continue
        hooks = implemented_hooks(plugin) | method_hooks(plugin)
        found = [Finding("config", "problem", *words) for words in unimplemented_hooks(entry, hooks)]
        found += [Finding("config", "note", *words) for words in unlisted_hooks(entry, hooks)]
        yield from found or [Finding("config", "ok", f"plugin {entry.name}: {', '.join(entry.hooks)}")]


def check_variables(environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Look for variables that are nearly those of settings: one with a wrong letter sets nothing, in silence.

    Args:
        environ: the environment; that of the process when None.
    """
    known = [name for setting in (*SETTINGS.values(), CONFIG_PATH, LOG_LEVEL, LOG_FORMAT) for name in setting.env]
    for name in os.environ if environ is None else environ:
        if name.startswith("PLUGINS_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=_MIN_SIMILARITY)
            if near:
                yield Finding("config", "problem", f"{name} is set, but is no setting", f"did you mean {near[0]}?")
