"""A plugin for all hooks that changes what it gets, and tells the gateway what it saw."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.rendering import ALL_HOOKS, RenderedPlugin
from tests.support.serving import config_file

NAME = "Mirror"

_SOURCE = """
from {package}.runtime.contract.hooks import HOOKS
from {package}.runtime import Plugin
from {package}.runtime.host.text import map_strings

OTHER = {{
    "http_pre_request": {{"x-mirror": "***"}},
    "http_post_request": {{"x-mirror": "***"}},
    "http_auth_resolve_user": {{"email": "mirror@example.com"}},
    "http_auth_check_permission": {{"granted": True, "reason": "***"}},
}}


class Mirror(Plugin):
    pass


def hook(name):
    async def method(self, payload, context):
        seen = {{"payload": payload.model_dump(mode="json"), "context": context.model_dump(mode="json")}}
        context.state["calls"] = context.state.get("calls", 0) + 1
        context.global_context.state["mirror"] = name
        changed = map_strings(seen["payload"], lambda text: text.replace("tango", "***"))
        answer = OTHER.get(name) or type(payload).model_validate(changed)
        return HOOKS[name].result.model_validate({{"modified_payload": answer, "metadata": seen}})

    return method


for name in {hooks}:
    setattr(Mirror, name, hook(name))
"""


def write_mirror(folder: Path, plugin: RenderedPlugin) -> Path:
    """Write the plugin, and a configuration that serves it alone; returns the configuration file."""
    (folder / "mirror.py").write_text(_SOURCE.format(package=plugin.package, hooks=ALL_HOOKS))
    config = yaml.safe_load(config_file(plugin).read_text())
    config["plugin_dirs"] = [str(folder)]
    config["plugins"] = [{"name": NAME, "kind": "mirror.Mirror", "version": "1", "hooks": ALL_HOOKS}]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
