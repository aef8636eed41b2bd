"""A plugin with all hooks that does what a call's metadata asks for, and a file with entries in every vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.support.rendering import ALL_HOOKS

from .hook_cases import PAYLOADS

SECRET = "the-secret-of-the-responder"

# The file's word, and the words that a client of the old and of the new vocabulary must read for it.
MODES = {
    "enforce": ("enforce", "sequential"),
    "enforce_ignore_error": ("enforce_ignore_error", "sequential"),
    "permissive": ("permissive", "transform"),
    "sequential": ("enforce", "sequential"),
    "transform": ("permissive", "transform"),
    "audit": ("permissive", "transform"),
    "concurrent": ("enforce", "sequential"),
    "fire_and_forget": ("permissive", "transform"),
    "disabled": ("disabled", "disabled"),
}

CONDITIONS: list[dict[str, Any]] = [
    {"server_ids": ["s1"], "tenant_ids": ["t1"], "tools": ["search"], "prompts": ["p1"], "resources": ["file:///a"]},
    {"agents": ["a1"], "user_patterns": ["admin.*"], "content_types": ["application/json"]},
]

# Parts of a result that only some releases know.
LATER: dict[str, Any] = {"http_headers": {"x-a": "1"}, "retry_delay_ms": 5}
METRICS: dict[str, Any] = {"n": 2**53, "f": 0.5, "b": True}

SOURCE = """
import json
from pathlib import Path

from {package}.runtime import HOOKS, Plugin, PluginError, PluginErrorModel

ANSWERS = json.loads(Path(__file__).with_name("answers.json").read_text())


class Responder(Plugin):
    def respond(self, hook, payload, context):
        do = context.global_context.metadata["do"]
        got = {{"payload": payload.model_dump(mode="json"), "context": context.global_context.model_dump(mode="json")}}
        answer = {{"metadata": {{"got": got}}}}
        if do == "modify":
            answer["modified_payload"] = ANSWERS[hook]
            answer |= {later}
        if do == "violation":
            answer["continue_processing"] = False
            answer["violation"] = {{
                "reason": "No", "description": "Not at all", "code": "NO", "details": {{"at": [1, "two"]}},
                "mcp_error_code": -32050,
            }}
            answer["denial_metadata"] = {metrics}
        if do == "state":
            context.set_state("calls", context.get_state("calls", 0) + 1)
            context.global_context.state["seen"] = hook
        if do == "error":
            raise PluginError(PluginErrorModel(
                message="upstream is down", plugin_name="Responder", code="UPSTREAM", details={{"tries": 3}},
                mcp_error_code=-32050,
            ))
        if do == "crash":
            raise RuntimeError("{secret}")
        return HOOKS[hook].result.model_validate(answer)


def method(hook):
    async def answer(self, payload, context):
        return self.respond(hook, payload, context)
    return answer


for hook in ANSWERS:
    setattr(Responder, hook, method(hook))
"""


def word(mode: str) -> str:
    """The name of the plugin whose entry has a mode."""
    return f"Mode_{mode}"


def write_config(folder: Path, package: str) -> Path:
    """Write the plugin, and a configuration that serves it under one name for each mode besides its own.

    Args:
        folder: where to write.
        package: the package of the rendered plugin that will serve it.

    Returns:
        The configuration file.
    """
    (folder / "responder.py").write_text(SOURCE.format(package=package, secret=SECRET, later=LATER, metrics=METRICS))
    (folder / "answers.json").write_text(json.dumps({hook: answer for hook, (_, answer) in PAYLOADS.items()}))
    shared = {"kind": "responder.Responder", "version": "1.2.3", "hooks": ALL_HOOKS}
    rich = shared | {
        "description": "grüße",
        "author": "A",
        "namespace": "n",
        "tags": ["a", "b"],
        "priority": 7,
        "conditions": CONDITIONS,
        "applied_to": {"tools": [{"tool_name": "search", "fields": ["a"]}]},
        "config": {"any": [1, None]},
        # Only cpex knows these.
        "on_error": "ignore",
        "capabilities": ["read_subject"],
        "max_content_size": 1000,
    }
    entries = [{"name": "Responder", **shared}, *({"name": word(mode), **rich, "mode": mode} for mode in MODES)]
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"plugin_dirs": [str(folder)], "plugins": entries}))
    return path
