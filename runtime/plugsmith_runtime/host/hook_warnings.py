"""Warnings for authors: hooks that only the file or only the code has, and changes that the gateway discards."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel

from ..contract.hooks import HOOKS, HookSpec
from .config import PluginConfig

logger = logging.getLogger(__name__)


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


class DiscardedChangesWarning:
    """Warns when a plugin changes what the gateway does not let it change; once for each hook.

    Args:
        plugin: the plugin's name.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._warned_hooks: set[str] = set()

    def check(self, spec: HookSpec, payload: BaseModel, changed: Any) -> None:
        """Compare the payload that a hook got with the one that it returned.

        Args:
            spec: the hook.
            payload: the payload that it got.
            changed: the payload that it returned, None when it returned none.
        """
        # Some hooks answer with something else than their payload.
        if spec.name in self._warned_hooks or type(changed) is not type(payload):
            return
        before, after = _fields(payload), _fields(changed)
        names = [name for name in after if name not in spec.writable and after[name] != before.get(name)]
        if names:
            self._warned_hooks.add(spec.name)
            logger.warning(
                "plugin %s changes %s at %s, which the gateway drops: it takes changes of %s only",
                self._plugin, ", ".join(names), spec.name, ", ".join(sorted(spec.writable)),
            )  # fmt: skip


def _fields(model: BaseModel) -> dict[str, Any]:
    return {**model.__dict__, **(model.__pydantic_extra__ or {})}
