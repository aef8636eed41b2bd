"""Results that would let a call pass by mistake: an error at once, where the author sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from plugsmith_runtime import Plugin, PluginViolation, ToolPreInvokePayload, ToolPreInvokeResult
from plugsmith_runtime.testing import hosted

VIOLATION = PluginViolation(reason="No", description="Not at all", code="NO")
RUNTIME = Path(__file__).resolve().parents[2] / "runtime"

TYPES = """
from plugsmith_runtime import PluginViolation, ToolPreInvokePayload, ToolPreInvokeResult

violation = PluginViolation(reason="r", description="d", code="c")
ToolPreInvokeResult()
ToolPreInvokeResult(modified_payload=ToolPreInvokePayload(name="x"), metadata={"a": 1})
ToolPreInvokeResult(continue_processing=False, violation=violation)
ToolPreInvokeResult(continue_processing=bool(violation.code))
ToolPreInvokeResult(violation=violation)  # wrong
ToolPreInvokeResult(continue_procesing=False)  # wrong
ToolPreInvokeResult(modified_payloadd=None)  # wrong
"""


class Careless(Plugin):
    """Makes the mistake that the tool's name says."""

    async def tool_pre_invoke(self, payload: ToolPreInvokePayload, context: Any) -> ToolPreInvokeResult:
        fields: dict[str, Any] = payload.args
        result = ToolPreInvokeResult(**fields)
        if payload.name == "assign":
            result.violation = VIOLATION
        return result


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"violation": VIOLATION}, ValueError, "a violation without continue_processing=False"),
        ({"violation": VIOLATION, "continue_processing": True}, ValueError, "a violation without"),
        ({"continue_procesing": False}, TypeError, "'continue_procesing' (did you mean 'continue_processing'?)"),
        ({"modified_payloadd": None}, TypeError, "'modified_payloadd' (did you mean 'modified_payload'?)"),
        ({"qqq": 1, "metdata": {}}, TypeError, "no field 'qqq' and no field 'metdata' (did you mean 'metadata'?)"),
    ],
)
def test_a_mistake_is_an_error_where_the_result_is_made(fields: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        ToolPreInvokeResult(**fields)
    assert text in str(caught.value)


def test_what_is_right_is_taken() -> None:
    assert ToolPreInvokeResult(continue_processing=False, violation=VIOLATION).violation == VIOLATION
    assert ToolPreInvokeResult(continue_processing=False).violation is None
    read = ToolPreInvokeResult.model_validate({"modified_payload": {"name": "x", "args": {"n": 1}}})
    assert read.modified_payload == ToolPreInvokePayload(name="x", args={"n": 1})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"name": "make", "args": {"continue_procesing": False}}, "HOOK_FAILED"),
        ({"name": "make", "args": {"violation": VIOLATION.model_dump()}}, "HOOK_FAILED"),
        ({"name": "assign", "args": {}}, "INVALID_RESULT"),
    ],
)
async def test_the_call_does_not_go_on(payload: dict[str, Any], code: str) -> None:
    async with hosted(Careless) as plugin:
        answer = await plugin.call("tool_pre_invoke", payload)
    assert (answer.error or {}).get("code") == code


def test_the_type_checker_finds_them(tmp_path: Path) -> None:
    (tmp_path / "mistakes.py").write_text(TYPES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), "mistakes.py"],
        cwd=tmp_path, env={"PYTHONPATH": str(RUNTIME), "MYPYPATH": str(RUNTIME)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    wrong = [number for number, line in enumerate(TYPES.split("\n"), 1) if line.endswith("# wrong")]
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert sorted(found) == wrong, done.stdout + done.stderr
