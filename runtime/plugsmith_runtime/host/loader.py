"""Loading of plugins: from a `kind` to an object, and the hooks and methods that it implements."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ValidationError

from ..contract.hooks import HOOKS, HookMethods
from ..errors import StartError, validation_message
from .config import PluginConfig
from .cpex import CpexPlugin, is_cpex_plugin
from .plugin import Plugin

METHODS = (
    "record_counter",
    "record_histogram",
    "record_gauge",
    "validate_credential",
    "store_credential",
    "retrieve_credential",
    "delete_credential",
    "list_credentials",
    "log_event",
)
"""The methods of plugins that answer Docker's MCP gateway, beside hooks.

Names only: the models behind them (docker.py) cost a start more than all of this, and few servers have such a
plugin.
"""

CALLS = (*HOOKS, *METHODS)
"""The names of all hooks and methods."""


class Spec(Protocol):
    """The models of a hook: of what goes in and of what comes out."""

    @property
    def payload(self) -> type[BaseModel]: ...

    @property
    def result(self) -> type[Any]: ...


class Hook(NamedTuple):
    """One implemented hook of one plugin.

    Attributes:
        spec: the hook's models.
        method: the plugin's bound method.
        threaded: whether the method is a plain `def`, to be run in a thread.
    """

    spec: Spec
    method: Callable[[Any, Any], Any]
    threaded: bool


def add_plugin_dirs(dirs: list[str], base: Path) -> None:
    """Make the modules of `plugin_dirs` importable.

    Args:
        dirs: the folders as the file names them, relative to the file.
        base: the folder of the configuration file.
    """
    for name in dirs:
        folder = str((base / name).resolve())
        if folder not in sys.path:
            sys.path.append(folder)


def load_plugin(entry: PluginConfig) -> Plugin:
    """Import a plugin's class and make its object.

    Args:
        entry: the plugin's entry in the configuration file; `kind` may name a class of cpex as well.

    Raises:
        StartError: the class cannot be imported, is no plugin, or refuses its configuration.
    """
    name = f"plugin {entry.name!r}"
    for hook in entry.hooks:
        if hook not in HOOKS:
            from difflib import get_close_matches

            near = get_close_matches(hook, HOOKS, n=1)
            raise StartError(f"{name}: unknown hook {hook!r}; {f'did you mean {near[0]}?' if near else 'see HOOKS'}")
    module_name, _, class_name = entry.kind.rpartition(".")
    if not module_name:
        raise StartError(f"{name}: kind {entry.kind!r} must be written as package.module.Class")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "cpex"
        help = "; install the extra 'cpex'" if missing else ""
        reason = f"{type(error).__name__}: {error}{_location(error)}{help}"
        raise StartError(f"{name}: cannot import {module_name}: {reason}") from error
    found = getattr(module, class_name, None)
    try:
        if is_cpex_plugin(found):
            return CpexPlugin(entry, found)
        if not (inspect.isclass(found) and issubclass(found, Plugin)):
            raise StartError(f"{name}: {entry.kind} is not a subclass of Plugin; import it from <package>.runtime")
        return found(entry)
    except StartError:
        raise
    except ValidationError as error:
        raise StartError(f"{name}: {validation_message(error, 'config')}") from error
    except Exception as error:
        raise StartError(f"{name}: cannot be made: {type(error).__name__}: {error}") from error


def implemented_by(found: type[Plugin] | Plugin) -> list[str]:
    """The wire names of the hooks that a plugin overrides: in its class or, as those of cpex, in the object alone."""
    methods = ((name, getattr(found, name)) for name in HOOKS)
    return [name for name, method in methods if getattr(method, "__func__", method) is not getattr(HookMethods, name)]


def implemented_hooks(plugin: Plugin) -> dict[str, Hook]:
    """Find the hooks that a plugin overrides, by wire name."""
    hooks = {}
    for name in implemented_by(plugin):
        method = getattr(plugin, name)
        hooks[name] = Hook(HOOKS[name], method, threaded=not inspect.iscoroutinefunction(method))
    return hooks


def unimplemented_hooks(entry: PluginConfig, implemented: Collection[str]) -> Iterator[tuple[str, str]]:
    """Find the hooks that a plugin's entry lists and its class lacks: the gateway calls them and gets an error.

    Args:
        entry: the plugin's entry in the configuration file.
        implemented: the hooks of its class.

    Yields:
        What is wrong, and what to do about it.
    """
    for hook in entry.hooks:
        if hook not in implemented:
            text = f"plugin {entry.name} lists hook {hook}, which {entry.kind} does not implement"
            yield text, "write its method, or take it out of hooks"


def unlisted_hooks(entry: PluginConfig, implemented: Collection[str]) -> Iterator[tuple[str, str]]:
    """Find the hooks that a plugin's class has and its entry does not list: the gateway never calls them.

    Args:
        entry: the plugin's entry in the configuration file.
        implemented: the hooks of its class.

    Yields:
        What is wrong, and what to do about it.
    """
    for hook in HOOKS:
        if hook in implemented and hook not in entry.hooks:
            text = f"plugin {entry.name} implements hook {hook}, which its entry does not list"
            yield text, f"add {hook} to hooks in the configuration file, or the gateway never calls it"


def _location(error: Exception) -> str:
    """The line that raised; a SyntaxError names its own, and the importer's lines help nobody."""
    if isinstance(error, SyntaxError):
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if len(frames) > 1 else ""
