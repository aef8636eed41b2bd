"""A contract that cannot become code: one line that says what, where and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.errors import ContractError
from generator.hooks import read_hooks

from .tools import edit, plugsmith

OPTION = (
    '    option (hook) = {name: "tool_pre_invoke" group: "tool" since: "0.6.0" writable: ["name", "args", "headers"]};'
)
NAME = "message ToolPreInvokePayload {\n  // The tool's name.\n  string name = 1;"

CASES = {
    "no option": (OPTION, "", 'Hooks.ToolPreInvoke has no hook option; add option (hook) = {name: "..."}'),
    "two of one name": (
        'name: "tool_post_invoke"',
        'name: "tool_pre_invoke"',
        "2 methods have the hook name 'tool_pre_invoke'; each hook needs a name of its own",
    ),
    "unknown writable field": (
        '["name", "args", "headers"]',
        '["name", "arguments"]',
        "hook 'tool_pre_invoke': writable field 'arguments' is not in ToolPreInvokePayload, "
        "which has name, args, headers",
    ),
    "name that is no method": (
        'name: "tool_pre_invoke"',
        'name: "tool-pre"',
        "hook 'tool-pre': the name must be lower_snake_case, as it becomes a method's name",
    ),
    "no release": (
        'group: "tool" since: "0.6.0" writable: ["name"',
        'group: "tool" writable: ["name"',
        "hook 'tool_pre_invoke': since is ''; it must be a gateway release, such as 1.0.0",
    ),
    "group that is no word": (
        'group: "tool" since',
        'group: "Tool hooks" since',
        "hook 'tool_pre_invoke': group is 'Tool hooks'; it must be one lower-case word, such as tool",
    ),
    "hook without comment": (
        "  // Before the gateway calls a tool: check, change or block its arguments.\n",
        "",
        "hook 'tool_pre_invoke' has no comment; write when it fires, it becomes the documentation",
    ),
    "field without comment": (
        "  // The tool's name.\n",
        "",
        "ToolPreInvokePayload.name has no comment; write what it is, it becomes the documentation",
    ),
    "default of another type": (
        '(default_json) = "false"',
        '(default_json) = "0"',
        "HttpAuthCheckPermissionPayload.is_admin has default_json '0', which is no JSON value of type bool",
    ),
    "default that is no JSON": (
        '(default_json) = "false"',
        '(default_json) = "no"',
        "HttpAuthCheckPermissionPayload.is_admin has default_json 'no', which is no JSON value of type bool",
    ),
    "type without a model": (
        "optional string user_agent",
        "optional bytes user_agent",
        "HttpAuthCheckPermissionPayload.user_agent has a type without a model; "
        "use string, bool, int32, int64, double, Struct, Value, ListValue, a message of this file, "
        "or a list or map<string, ...> of these",
    ),
    "name of a model's own": (
        "string user_agent = 8",
        "string copy = 8",
        "HttpAuthCheckPermissionPayload.copy cannot be a field of a Python model; rename it",
    ),
    "keyword": (
        "string user_agent = 8",
        "string class = 8",
        "HttpAuthCheckPermissionPayload.class cannot be a field of a Python model; rename it",
    ),
    "nested message": (
        NAME,
        NAME.replace("Payload {", "Payload {\n  message Inner {}"),
        "ToolPreInvokePayload.Inner is nested; use messages at the top level of the file, and strings",
    ),
    "oneof": (
        "  // The tool's name.\n  string name = 1;",
        "  oneof which {\n    // One.\n    string name = 1;\n  }",
        "ToolPreInvokePayload.name is in a oneof, which a JSON object cannot show; use optional fields or Value",
    ),
    "root with two fields": (
        "  map<string, string> root = 1;",
        "  map<string, string> root = 1;\n  // Two.\n  string two = 2;",
        "HttpHeaderPayload has the option root and 2 fields; it needs exactly one",
    ),
    "circle": (
        "  google.protobuf.Value user = 2;",
        "  PluginContext user = 2;",
        "GlobalContext -> PluginContext -> GlobalContext is a circle; use google.protobuf.Value for one of the fields",
    ),
    "result without its base": (
        "  PluginResult base = 1;\n  // The payload to go on with.\n  optional ToolPreInvokePayload",
        "  optional ToolPreInvokePayload",
        "ToolPreInvokeResult is a hook's result; it needs PluginResult base and optional ... modified_payload",
    ),
    "another package": (
        "package plugsmith.hooks;",
        "package acme.hooks;\n",
        "the package is 'acme.hooks'; it must be 'plugsmith.hooks'",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_is_wrong(checkout: Path, case: str) -> None:
    old, new, line = CASES[case]
    edit(checkout / "proto" / "hooks.proto", old, new)
    if case == "another package":
        for before, after in (("(hook)", "(plugsmith.hooks.hook)"), ("(root)", "(plugsmith.hooks.root)")):
            replace_all(checkout / "proto" / "hooks.proto", before, after)
        for before in ("(default_json)", "(required)"):
            replace_all(checkout / "proto" / "hooks.proto", before, before.replace("(", "(plugsmith.hooks."))
    with pytest.raises(ContractError) as caught:
        read_hooks(checkout / "proto")
    assert list(caught.value.problems) == [f"proto/hooks.proto: {line}"]


def replace_all(file: Path, old: str, new: str) -> None:
    """Replace a text wherever it occurs in a file."""
    file.write_text(file.read_text("utf-8").replace(old, new), encoding="utf-8")


def test_all_problems_are_told_at_once(checkout: Path) -> None:
    proto = checkout / "proto" / "hooks.proto"
    edit(proto, OPTION, "")
    edit(proto, 'writable: ["result"]', 'writable: ["results"]')
    done = plugsmith("contract", "--root", str(checkout))
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("plugsmith: proto/hooks.proto: ") for line in lines)


def test_protoc_says_where(checkout: Path) -> None:
    edit(checkout / "proto" / "hooks.proto", "message GlobalContext {", "message GlobalContext")
    done = plugsmith("contract", "--root", str(checkout))
    assert done.returncode == 2
    assert re.match(r"plugsmith: \S*proto/hooks\.proto:\d+:\d+: Expected", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_missing_contract(checkout: Path) -> None:
    (checkout / "proto" / "hooks.proto").unlink()
    done = plugsmith("contract", "--check", "--root", str(checkout))
    assert done.returncode == 2
    assert "hooks.proto: no such file" in done.stderr
