"""Generated text is formatted and clean as it leaves the templates, whatever the contract says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generator.contract_files import CONTRACT
from generator.hooks import read_hooks, render_models

from .tools import LIMIT, ROOT, edit, load

LONG = "a comment that is much longer than a line of Python may be, so that it has to be broken somewhere " * 3
ODD = {
    "as it is": [],
    "long comments": [
        ("// The tool's name.", f"// {LONG}"),
        ("// What tool_pre_invoke answers.", f"// {LONG}\n//\n// b"),
    ],
    "quotes": [
        ("// The tool's name.", '// Ends in "quotes"'),
        ("// The HTTP headers that", '// """ and \\ and \\n {{ braces }} {% raw %} "'),
        ("// The hooks of a plugin.\n", ""),
    ],
    "a comment of exactly one line": [
        ("// The tool's name.", f"// {'x' * 110}"),
        ("// The tool's arg", f"// {'y' * 96} "),
    ],
    "lists and numbers": [
        ("  string name = 1;\n  // The tool's arguments.", "  repeated string name = 1;\n  // The tool's arguments."),
        ('bool is_admin = 5 [(default_json) = "false"]', 'string is_admin = 5 [(default_json) = "\\"a\\\\\\"b\\""]'),
        ('int32 retry_delay_ms = 6 [(default_json) = "0"]', 'double retry_delay_ms = 6 [(default_json) = "0.5"]'),
        ("map<string, string> args = 2;", "map<string, HttpHeaderPayload> args = 2;"),
    ],
    "two hooks with one answer": [
        (
            "(ToolPostInvokePayload) returns (ToolPostInvokeResult)",
            "(ToolPreInvokePayload) returns (ToolPreInvokeResult)",
        ),
        ('writable: ["result"]', 'writable: ["name"]'),
        (
            "// What tool_post_invoke answers.\nmessage ToolPostInvokeResult {\n"
            "  // The parts that every hook's result has.\n  PluginResult base = 1;\n"
            "  // The payload to go on with.\n  optional ToolPostInvokePayload modified_payload = 2;\n}\n",
            "",
        ),
    ],
    "many writable fields": [('writable: ["result"]', 'writable: ["name", "result"]')],
}


@pytest.mark.parametrize("case", ODD)
def test_the_models_are_formatted_and_clean(checkout: Path, case: str) -> None:
    for old, new in ODD[case]:
        edit(checkout / "proto" / "hooks.proto", old, new)
    target = checkout / "hooks.py"
    target.write_text(render_models(read_hooks(checkout / "proto")), encoding="utf-8")
    for check in (["format", "--diff"], ["check"]):
        command = [
            sys.executable,
            "-m",
            "ruff",
            *check,
            "--no-cache",
            "--config",
            str(ROOT / "pyproject.toml"),
            str(target),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    module = load(target, f"odd_hooks_{list(ODD).index(case)}")
    assert module.HOOKS["tool_pre_invoke"].result().continue_processing


def test_comments_become_docstrings() -> None:
    text = (ROOT / CONTRACT / "hooks.py").read_text(encoding="utf-8")
    assert '    name: str\n    """The tool\'s name."""\n' in text
    assert 'class ToolPreInvokePayload(PluginPayload):\n    """What tool_pre_invoke receives."""\n' in text
    assert '        """Before the gateway calls a tool: check, change or block its arguments."""\n' in text
