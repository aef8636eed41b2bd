"""From a plugin's `kind` to an object that is ready to be called."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ValidationError

from ..contract.hooks import HOOKS, HookMethods
from ..errors import StartError, validation_message
from .config import PluginConfig
from .cpex import CpexPlugin, is_cpex_plugin
from .plugin import Plugin


class Spec(Protocol):
    """What the host must know of a hook: the models of what goes in and of what comes out."""

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
    where = f"plugin {entry.name!r}"
    for hook in entry.hooks:
        if hook not in HOOKS:
            from difflib import get_close_matches

            near = get_close_matches(hook, HOOKS, n=1)
            raise StartError(f"{where}: unknown hook {hook!r}; {f'did you mean {near[0]}?' if near else 'see HOOKS'}")
    module_name, _, class_name = entry.kind.rpartition(".")
    if not module_name:
        raise StartError(f"{where}: kind {entry.kind!r} must be written as package.module.Class")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "cpex"
        help = "; install the extra 'cpex'" if missing else ""
        reason = f"{type(error).__name__}: {error}{_place(error)}{help}"
        raise StartError(f"{where}: cannot import {module_name}: {reason}") from error
    found = getattr(module, class_name, None)
    try:
        if is_cpex_plugin(found):
            return CpexPlugin(entry, found)
        if not (inspect.isclass(found) and issubclass(found, Plugin)):
            raise StartError(f"{where}: {entry.kind} is not a subclass of Plugin; import it from <package>.runtime")
        return found(entry)
    except StartError:
        raise
    except ValidationError as error:
        raise StartError(f"{where}: {validation_message(error, 'config')}") from error
    except Exception as error:
        raise StartError(f"{where}: cannot be made: {type(error).__name__}: {error}") from error


def _place(problem: Exception) -> str:
    """The line that raised; a SyntaxError names its own, and the importer's lines help nobody."""
    if isinstance(problem, SyntaxError):
        return ""
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if "importlib" not in frame.filename]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if len(frames) > 1 else ""


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
