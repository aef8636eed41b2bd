"""What a type checker says of plugins that use the generated models, without pydantic's plugin for mypy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator.contract_files import CONTRACT, REFERENCE

from .tools import LIMIT, ROOT

IMPORTS = "from contract.hooks import *\n\n\nclass P(HookMethods):\n"
PRE = "async def tool_pre_invoke(self, payload: ToolPreInvokePayload, context: PluginContext)"

RIGHT = f"""\
    {PRE} -> ToolPreInvokeResult:
        if context.get_state("blocked"):
            violation = PluginViolation(reason="r", description="d", code="c", details={{"a": 1}})
            return ToolPreInvokeResult(continue_processing=False, violation=violation)
        return ToolPreInvokeResult(modified_payload=payload.model_copy(update={{"args": {{"a": payload.args["a"]}}}}))

    def http_pre_request(self, payload: HttpPreRequestPayload, context: PluginContext) -> HttpPreRequestResult:
        return HttpPreRequestResult(modified_payload=HttpHeaderPayload({{**payload.headers, "x": "y"}}))

    def tool_post_invoke(self, payload: ToolPostInvokePayload, context: PluginContext) -> ToolPostInvokeResult:
        context.set_state("seen", payload.result)
        return ToolPostInvokeResult()
"""

WRONG = {
    "result of another hook": (f"{PRE} -> ToolPostInvokeResult:\n        return ToolPostInvokeResult()", "override"),
    "no result": (f"{PRE} -> None:\n        return None", "override"),
    "payload of another hook": (
        "def tool_pre_invoke(self, payload: ToolPostInvokePayload, context: PluginContext) -> ToolPreInvokeResult:\n"
        "        return ToolPreInvokeResult()",
        "override",
    ),
    "field that is not there": (f"{PRE} -> ToolPreInvokeResult:\n        return payload.arguments", "attr-defined"),
    "argument that is not there": (
        f"{PRE} -> ToolPreInvokeResult:\n        return ToolPreInvokeResult(modifed_payload=payload)",
        "call-overload",
    ),
    "payload of the wrong type": (
        f"{PRE} -> ToolPreInvokeResult:\n        return ToolPreInvokeResult(modified_payload=context)",
        "call-overload",
    ),
    "violation without its code": (
        f'{PRE} -> ToolPreInvokeResult:\n        violation = PluginViolation(reason="r", description="d")\n'
        "        return ToolPreInvokeResult(violation=violation)",
        "call-arg",
    ),
}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated models; mypy keeps its cache there, so that only the first run reads pydantic."""
    folder = tmp_path_factory.mktemp("typing")
    shutil.copytree(
        ROOT / CONTRACT, folder / "contract", ignore=shutil.ignore_patterns("__pycache__", "google", "*_pb2*")
    )
    (folder / "mypy.ini").write_text("[mypy]\n", encoding="utf-8")
    return folder


def mypy(project: Path, text: str) -> list[str]:
    """Return what mypy --strict says of a module."""
    (project / "plugin.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "mypy.ini", "plugin.py"],
        cwd=project, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert not done.stderr
    return [line for line in done.stdout.splitlines() if " note: " not in line]


def test_a_right_plugin_passes(project: Path) -> None:
    assert mypy(project, IMPORTS + RIGHT) == []


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_plugin_fails(project: Path, case: str) -> None:
    method, code = WRONG[case]
    said = mypy(project, f"{IMPORTS}    {method}\n")
    assert any(line.endswith(f"[{code}]") for line in said), said


def test_the_examples_of_the_reference_pass(project: Path) -> None:
    methods = [
        block.replace("\n", "\n    ")
        for block in re.findall(r"```python\n(.*?)```", (ROOT / REFERENCE).read_text("utf-8"), re.DOTALL)
        if block.startswith("async def ")
    ]
    assert len(methods) == 12
    assert mypy(project, IMPORTS + "\n".join(f"    {method}" for method in methods)) == []
