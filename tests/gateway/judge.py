"""What a client must have seen, check by check, and what it is called when it has not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from .limits import LIMITS
from .responder import CONDITIONS, LATER, METRICS, MODES, SECRET, word


class Colour(StrEnum):
    """The verdict on a check: as it must be; beyond the release, with a known cause; wrong."""

    GREEN = "green"
    GREY = "grey"
    RED = "red"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; 5 and 5.0 are, 1 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def integers(value: Any) -> list[int]:
    """The integers in a JSON value, true and false not counted."""
    if isinstance(value, dict | list):
        return [number for item in (value.values() if isinstance(value, dict) else value) for number in integers(item)]
    return [value] if type(value) is int else []


def _differs(what: str, seen: Any, expected: Any) -> str:
    return "" if same(seen, expected) else f"{what}: {json.dumps(seen)} instead of {json.dumps(expected)}"


def _failed(reply: dict[str, Any]) -> str:
    return str(reply["error"]["message"]) if reply.get("error") else ""


def _known(reply: dict[str, Any], parts: dict[str, Any]) -> str:
    """Compare those parts of a result that the release knows."""
    parts = {name: value for name, value in parts.items() if name in reply}
    return _differs("the result", {name: reply[name] for name in parts}, parts)


def _config(hook: str, seen: dict[str, Any]) -> str:
    for mode, words in MODES.items():
        entry = seen["entries"][word(mode)]
        if said := _failed(entry):
            return said
        config = entry["config"]
        if config["version"] is None and not config["hooks"] and not entry["warnings"]:
            return "it keeps its own entry, and warns of nothing"
        # A release that knows the new words knows `on_error` too.
        new = "on_error" in config
        expected: dict[str, Any] = {"version": "1.2.3", "description": "grüße", "author": "A", "namespace": "n"}
        expected |= {"mode": words[new], "tags": ["a", "b"], "priority": 7, "config": {"any": [1, None]}}
        if new:
            expected |= {"on_error": "ignore", "capabilities": ["read_subject"], "max_content_size": 1000}
        conditions = [{key: value for key, value in item.items() if value} for item in config["conditions"]]
        held = {key: config[key] for key in expected} | {"conditions": conditions}
        if said := _differs(f"the entry with mode {mode}", held, expected | {"conditions": CONDITIONS}):
            return said
        if hook not in config["hooks"]:
            return f"the entry with mode {mode} lacks the hook"
    return ""


def _modified(hook: str, seen: dict[str, Any]) -> str:
    calls = seen["hooks"][hook]
    reply = calls["modify"]
    if said := _failed(reply):
        return said
    return (
        _differs("the server got", reply["metadata"]["got"]["payload"], calls["sent"])
        or _differs("the client got", reply["modified_payload"], calls["expected"])
        or _known(reply, LATER)
    )


def _integers(hook: str, seen: dict[str, Any]) -> str:
    calls = seen["hooks"][hook]
    arrived = calls["modify"].get("modified_payload")
    if said := _differs("the client got", arrived, calls["expected"]):
        return said
    numbers = integers(calls["expected"])
    return "" if integers(arrived) == numbers else f"{numbers[0]} comes as {float(numbers[0]):.1f}"


def _violation(hook: str, seen: dict[str, Any]) -> str:
    reply = seen["hooks"][hook]["violation"]
    if said := _failed(reply):
        return said
    expected: dict[str, Any] = {"reason": "No", "description": "Not at all", "code": "NO", "mcp_error_code": -32050}
    expected |= {"details": {"at": [1, "two"]}}
    violation = reply["violation"] or {}
    held = {key: violation.get(key) for key in expected} | {"continue": reply["continue_processing"]}
    return _differs("the violation", held, expected | {"continue": False}) or _known(
        reply, {"denial_metadata": METRICS}
    )


def _state(hook: str, seen: dict[str, Any]) -> str:
    calls = seen["hooks"][hook]
    if said := _failed(calls["first"]) or _failed(calls["second"]):
        return said
    sent: dict[str, Any] = {"request_id": "r-1", "user": {"email": "a@example.com"}, "tenant_id": "t"}
    sent |= {"metadata": {"big": 2**53, "do": "state"}}
    got = calls["first"]["metadata"]["got"]["context"]
    return _differs("the server got the context", {key: got[key] for key in sent}, sent) or _differs(
        "the client got back", calls["state"], {"own": {"calls": 2}, "shared": {"seen": hook}}
    )


def _error(hook: str, seen: dict[str, Any]) -> str:
    calls = seen["hooks"][hook]
    expected = {"message": "upstream is down", "plugin_name": "Responder", "code": "UPSTREAM", "details": {"tries": 3}}
    if said := _differs("the error", calls["error"].get("error"), expected | {"mcp_error_code": -32050}):
        return said
    crash = calls["crash"].get("error") or {}
    if crash.get("code") != "HOOK_FAILED" or "error id" not in crash["message"] or SECRET in json.dumps(calls):
        return f"the answer to a crash: {json.dumps(calls['crash'])}"
    return ""


def _unknown(hook: str, seen: dict[str, Any]) -> str:
    start = seen["unknown"].get("error") or {}
    if start.get("code") != "UNKNOWN_PLUGIN" and "Unable to retrieve configuration" not in start.get("message", ""):
        return f"the client of an unknown plugin: {json.dumps(seen['unknown'])}"
    call = seen["hooks"][hook]["unknown"]
    return "" if (call.get("error") or {}).get("code") == "UNKNOWN_PLUGIN" else f"the call: {json.dumps(call)}"


def _objects(hook: str, seen: dict[str, Any]) -> str:
    reply = seen["hooks"][hook]["objects"]
    if said := _failed(reply):
        return said
    return _differs("the object", reply["metadata"]["got"]["context"]["metadata"].get("tool"), {"name": "search"})


CHECKS: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "config": _config,
    "modified": _modified,
    "violation": _violation,
    "state": _state,
    "error": _error,
    "unknown": _unknown,
    "integers": _integers,
    "objects": _objects,
}


def applies(check: str, hook: str, seen: dict[str, Any]) -> bool:
    """Whether a hook has what a check is about: integers in its answer, objects in a real gateway's context."""
    if check == "integers":
        return bool(integers(seen["hooks"][hook]["expected"]))
    return check != "objects" or hook.startswith("tool_")


def judge(check: str, hook: str, transport: str, seen: dict[str, Any]) -> tuple[Colour, str]:
    """Judge what a client saw.

    Args:
        check: one of CHECKS.
        hook: the hook's name.
        transport: the transport.
        seen: what hook_driver printed.

    Returns:
        The verdict, and what the client said or did when it is not green.
    """
    said = CHECKS[check](hook, seen)
    if not said:
        return Colour.GREEN, ""
    known = any(
        limit.check == check and transport in limit.transports and re.search(limit.said, said) for limit in LIMITS
    )
    return (Colour.GREY if known else Colour.RED), said
