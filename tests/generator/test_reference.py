"""The examples of docs/hooks.md do what they say."""

from __future__ import annotations

import asyncio
import json
import re
from types import ModuleType
from typing import Any

import pytest

from generator.contract_files import REFERENCE

from .test_registry import WRITABLE
from .tools import ROOT


def section(hook: str) -> str:
    """Return what the reference says of a hook."""
    return (ROOT / REFERENCE).read_text("utf-8").split(f"\n## {hook}\n")[1].split("\n## ")[0]


def imported(hooks: ModuleType) -> dict[str, Any]:
    """Return what `from hooks import *` gives."""
    return {name: getattr(hooks, name) for name in hooks.__all__}


def code(text: str, language: str) -> str:
    """Return the example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", WRITABLE)
def test_the_example_runs_on_the_example(hooks: ModuleType, name: str) -> None:
    text = section(name)
    names: dict[str, Any] = {}
    exec(code(text, "python"), imported(hooks), names)
    data = json.loads(code(text, "json"))
    spec = hooks.HOOKS[name]
    payload = spec.payload.model_validate(data)
    context = hooks.PluginContext(global_context=hooks.GlobalContext(request_id="1"))
    result = asyncio.run(names[name](None, payload, context))
    assert result.continue_processing
    again = spec.result.model_validate(result.model_dump(mode="json"))
    assert again.modified_payload == result.modified_payload


def test_blocking_as_shown(hooks: ModuleType) -> None:
    text = (ROOT / REFERENCE).read_text("utf-8").split("\n## Results\n")[1]
    result = eval(code(text, "python"), imported(hooks))
    assert (result.continue_processing, result.violation.code) == (False, "FORBIDDEN")


@pytest.mark.parametrize("name", WRITABLE)
def test_what_can_be_changed_is_marked(name: str) -> None:
    rows = [
        [cell.strip(" `") for cell in line.split(" | ")] for line in section(name).splitlines() if line[:3] == "| `"
    ]
    assert {row[0].removeprefix("| `") for row in rows if row[3] == "yes"} == WRITABLE[name]
