"""A hook's reply as lines for people: a diff of the payload, or the violation."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from ..cli.terminal import Colours
from ..contract.hooks import HOOKS

_CONTEXT_LINES = 4
_SIGNS = {"+": "green", "-": "red"}
# The results of these hooks are maps of headers; this is the part of the payload that they replace.
_HEADERS = {"http_pre_request": "headers", "http_post_request": "response_headers"}


def describe(hook: str, payload: Any, context: dict[str, Any], reply: dict[str, Any], colours: Colours) -> list[str]:
    """Say what came back from a hook.

    Args:
        hook: the hook's wire name.
        payload: the payload that was sent.
        context: the context that was sent.
        reply: plugin_name, result or error, context.
        colours: for the terminal.
    """
    plugin = reply["plugin_name"]
    if "error" in reply:
        error = reply["error"]
        return [f"{colours('error', 'red', 'bold')} of {plugin} at {hook}: {error['code']}: {error['message']}"]
    result = reply["result"]
    changed = result.get("modified_payload")
    if not result["continue_processing"]:
        lines = [f"{colours('blocked', 'red', 'bold')} by {plugin} at {hook}"]
        lines += [f"  {name}: {_text(value)}" for name, value in (result.get("violation") or {}).items() if value]
    else:
        before = replaced_part(hook, payload)
        after = None if changed is None else without_additions(changed, before)
        if changed is None or after == before:
            lines = [f"{colours('allowed', 'green', 'bold')} by {plugin} at {hook}, nothing changed"]
        else:
            lines = [f"{colours('modified', 'yellow', 'bold')} by {plugin} at {hook}"]
            lines += [f"  {line}" for line in diff(before, after, colours)]
    for name in result.keys() - {"continue_processing", "modified_payload", "violation"}:
        if result[name]:
            lines.append(f"  {name}: {_text(result[name])}")
    return lines + _context_lines(context, reply.get("context") or {}, colours)


def replaced_part(hook: str, payload: Any) -> Any:
    """The part of a payload that the hook's result replaces: all of it for most; None when the result is of its own."""
    if hook in _HEADERS:
        return payload.get(_HEADERS[hook]) or {} if isinstance(payload, dict) else {}
    spec = HOOKS.get(hook)
    if spec is None:
        return None
    result = spec.result.model_fields["modified_payload"].annotation
    return payload if spec.payload in (result, *getattr(result, "__args__", ())) else None


def without_additions(value: Any, like: Any) -> Any:
    """A value less the empty parts that a model adds to a map which came without them."""
    if isinstance(value, dict) and isinstance(like, dict):
        kept = [name for name in like if name in value]  # in the caller's order, which makes the better diff
        kept += [name for name in value if name not in like and value[name] not in (None, {}, [])]
        return {name: without_additions(value[name], like.get(name)) for name in kept}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [without_additions(*pair) for pair in zip(value, like, strict=True)]
    return value


def diff(before: Any, after: Any, colours: Colours) -> Iterator[str]:
    """Compare two values line by line, as indented JSON; of what stays, the lines around a change are shown.

    Args:
        before: the value as it was; None for no value.
        after: the value as it is.
        colours: for the terminal.
    """
    old, new = ([] if value is None else _lines(value) for value in (before, after))
    for line in list(difflib.unified_diff(old, new, n=_CONTEXT_LINES, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield colours(line, *([_SIGNS[line[0]]] if line[0] in _SIGNS else []))
        elif not line.startswith(("@@ -1,", "@@ -0,")):
            yield colours("...", "dim")


def _context_lines(before: dict[str, Any], after: dict[str, Any], colours: Colours) -> list[str]:
    lines = []
    for path in (("state",), ("metadata",), ("global_context", "state")):
        old, new = before, after
        for name in path:
            old, new = old.get(name) or {}, new.get(name) or {}
        if new != old and after:
            lines += [f"  context.{'.'.join(path)}:", *(f"    {line}" for line in diff(old, new, colours))]
    return lines


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=2, ensure_ascii=False).splitlines()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
