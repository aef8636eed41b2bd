"""The configuration file: the entries of plugins, and the blocks of server settings."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import StartError, validation_message

# The forms of Jinja that gateways' own files use; all else in braces stays as it is.
_EXPRESSION = re.compile(r"\{\{-?\s*env\b.*?\}\}")
_VARIABLE = re.compile(
    r"""\{\{-?\s*env(?:\.(?P<name>\w+)|\[\s*(?P<q>['"])(?P<key>\w+)(?P=q)\s*\])
    \s*(?:\|\s*default\(\s*(?P<d>['"])(?P<default>.*?)(?P=d)\s*(?:,\s*[Tt]rue\s*)?\)\s*)?-?\}\}""",
    re.VERBOSE,
)


class PluginMode(StrEnum):
    """What the gateway does with a plugin's verdicts; the old words come first, then those of cpex 0.1."""

    ENFORCE = "enforce"
    ENFORCE_IGNORE_ERROR = "enforce_ignore_error"
    PERMISSIVE = "permissive"
    DISABLED = "disabled"
    SEQUENTIAL = "sequential"
    TRANSFORM = "transform"
    AUDIT = "audit"
    CONCURRENT = "concurrent"
    FIRE_AND_FORGET = "fire_and_forget"


class PluginCondition(BaseModel):
    """When the gateway should call the plugin; a condition holds when each of its lists names the request's part."""

    model_config = ConfigDict(extra="forbid")

    server_ids: list[str] | None = None
    tenant_ids: list[str] | None = None
    tools: list[str] | None = None
    prompts: list[str] | None = None
    resources: list[str] | None = None
    agents: list[str] | None = None
    user_patterns: list[str] | None = None
    content_types: list[str] | None = None


class PluginConfig(BaseModel):
    """One plugin's entry in the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    kind: str
    description: str | None = None
    author: str | None = None
    version: str | None = None
    namespace: str | None = None
    hooks: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    mode: PluginMode = PluginMode.ENFORCE
    priority: int = 100
    conditions: list[PluginCondition] = Field(default_factory=list)
    config: dict[str, Any] | None = None
    timeout: float | None = Field(default=None, gt=0)
    """Seconds that a hook of this plugin may take; the server's hook timeout when missing."""
    on_startup_error: Literal["stop", "skip"] = "stop"
    """What a plugin that cannot start does to the server: it stops the start, or the others are served without it."""
    on_error: str | None = None
    capabilities: list[str] | None = None
    applied_to: dict[str, Any] | None = None
    max_content_size: int | None = None


class ManagerSettings(BaseModel):
    """The block `plugin_settings` of the peers' files, of which the timeout counts here."""

    model_config = ConfigDict(extra="allow")

    plugin_timeout: float | None = Field(default=None, gt=0)


class ConfigFile(BaseModel):
    """The whole configuration file; the server blocks are read by the settings."""

    model_config = ConfigDict(extra="forbid")

    plugins: list[PluginConfig] = Field(default_factory=list)
    plugin_dirs: list[str] = Field(default_factory=list)
    plugin_settings: ManagerSettings = Field(default_factory=ManagerSettings)
    server_settings: dict[str, Any] = Field(default_factory=dict)
    grpc_server_settings: dict[str, Any] = Field(default_factory=dict)
    unix_socket_server_settings: dict[str, Any] = Field(default_factory=dict)


def load_config_file(path: Path) -> ConfigFile:
    """Read and check the configuration file.

    Args:
        path: where the file lies.

    Raises:
        StartError: the file is missing, unreadable, not YAML, or does not fit.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise StartError(
            f"{path}: cannot read the configuration file ({reason}); name another with --config or PLUGINS_CONFIG_PATH"
        ) from error
    text = _expand_environment(text, path)
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise StartError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise StartError(f"{path}: the file must be a map with the key 'plugins'")
    try:
        file = ConfigFile.model_validate(data)
    except ValidationError as error:
        raise StartError(f"{path}: {validation_message(error)}") from error
    if not file.plugins:
        raise StartError(f"{path}: 'plugins' lists no plugin; add an entry with name, kind and hooks")
    names = [entry.name.lower() for entry in file.plugins]
    for entry in file.plugins:
        if names.count(entry.name.lower()) > 1:
            raise StartError(f"{path}: two plugins are named {entry.name!r}; names differ by more than case")
    return file


def _expand_environment(text: str, path: Path) -> str:
    """Replace `{{ env.NAME }}` outside of comments by the variable's value, as gateways do in their plugins files.

    Raises:
        StartError: a variable is not set, or the expression is none of the forms that are known.
    """
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if not line.lstrip().startswith("#"):
            lines[index] = _EXPRESSION.sub(partial(_value, where=f"{path}: line {index + 1}"), line)
    return "".join(lines)


def _value(found: re.Match[str], where: str) -> str:
    variable = _VARIABLE.fullmatch(found[0])
    if variable is None:
        raise StartError(
            f"{where}: {found[0]} cannot be expanded; write {{{{ env.NAME }}}}, or "
            '{{ env.NAME | default("value") }}'
        )
    name = variable["name"] or variable["key"]
    value = os.environ.get(name, variable["default"])
    if value is None:
        raise StartError(f"{where}: the environment variable {name} is not set; set it, or give a default")
    return value
