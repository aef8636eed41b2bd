"""The cases of the demo: inputs, and what the plugin must answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ...errors import StartError, validation_message
from ...host.loader import CALLS


class Case(BaseModel):
    """One call of the demo.

    Attributes:
        title: what the case shows.
        hook: the hook to call.
        payload: its payload.
        expect: the verdict that must come back.
        becomes: the payload that must come back, for "modified".
        code: the violation's code that must come back, for "blocked".
    """

    model_config = ConfigDict(extra="forbid")

    title: str
    hook: str
    payload: dict[str, Any]
    expect: Literal["allowed", "modified", "blocked"]
    becomes: Any = None
    code: str | None = None


def load_cases(path: Path) -> list[Case]:
    """Read the demo's cases.

    Raises:
        StartError: the file is missing, not YAML, or does not fit.
    """
    try:
        cases = TypeAdapter(list[Case]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise StartError(
            f"{path}: cannot read the demo's cases ({error.strerror}); name a file with --cases"
        ) from error
    except yaml.YAMLError as error:
        raise StartError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise StartError(f"{path}: {validation_message(error)}") from error
    for case in cases:
        if case.hook not in CALLS:
            raise StartError(f"{path}: case {case.title!r}: unknown hook {case.hook!r}")
    if not cases:
        raise StartError(f"{path}: there is no case; add one with title, hook, payload and expect")
    return cases


def verdict(case: Case, reply: dict[str, Any]) -> tuple[str, str]:
    """Say what a reply is.

    Args:
        case: the case that was called.
        reply: plugin_name, result or error, context.

    Returns:
        The verdict in a word (allowed, modified, blocked, error), and what stands behind it.
    """
    if "error" in reply:
        return "error", f"{reply['error']['code']}: {reply['error']['message']}"
    result = reply["result"]
    if not result["continue_processing"]:
        violation = result.get("violation") or {}
        return "blocked", violation.get("code", "")
    changed = result.get("modified_payload")
    if changed is None or changed == case.payload:
        return "allowed", ""
    kept = (
        {name: value for name, value in changed.items() if value is not None} if isinstance(changed, dict) else changed
    )
    return "modified", json.dumps(kept, ensure_ascii=False, sort_keys=True)


def is_right(case: Case, reply: dict[str, Any]) -> bool:
    """Whether a reply is what the case demands."""
    word, _ = verdict(case, reply)
    if word != case.expect:
        return False
    if word == "blocked":
        return case.code is None or reply["result"]["violation"]["code"] == case.code
    if word == "modified":
        return case.becomes is None or _holds(reply["result"]["modified_payload"], case.becomes)
    return True


def _holds(value: Any, wanted: Any) -> bool:
    """Whether a value is what is wanted; optional fields that a model adds to a map do not count when they are null."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        extra = [name for name in value if name not in wanted and value[name] not in (None, {}, [])]
        return not extra and all(name in value and _holds(value[name], wanted[name]) for name in wanted)
    return bool(value == wanted)
