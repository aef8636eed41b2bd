"""The wire form of a plugin's entry in the configuration file, as gateways of any release accept it."""

from __future__ import annotations

from typing import Any

from ..host.config import PluginConfig, PluginMode

# Old gateways refuse a configuration with a new word, new ones accept the old words (WIRE: shared settings).
_OLD_MODES = {
    PluginMode.SEQUENTIAL: PluginMode.ENFORCE,
    PluginMode.CONCURRENT: PluginMode.ENFORCE,
    PluginMode.TRANSFORM: PluginMode.PERMISSIVE,
    PluginMode.AUDIT: PluginMode.PERMISSIVE,
    PluginMode.FIRE_AND_FORGET: PluginMode.PERMISSIVE,
}

# Settings of the server, and what is written in another way.
_EXCLUDED = {"timeout", "on_startup_error", "mode", "config"}


def gateway_mode(entry: PluginConfig) -> str:
    """The mode of a plugin in a word that every gateway knows."""
    return str(_OLD_MODES.get(entry.mode, entry.mode))


def gateway_config(entry: PluginConfig) -> dict[str, Any]:
    """The entry of a plugin in JSON data: old words for modes, no field that gateways do not know.

    Args:
        entry: the entry. Its `config:` goes as it is; YAML may have put dates there.
    """
    data = entry.model_dump(mode="json", exclude_none=True, exclude=_EXCLUDED)
    data["mode"] = gateway_mode(entry)
    if entry.config is not None:
        data["config"] = entry.config
    return data
