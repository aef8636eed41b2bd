"""The generated models: strict where a mistake hides, open where newer gateways add."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from generator.contract_files import CONTRACT

from .tools import LIMIT, ROOT

CONTEXT = {"global_context": {"request_id": "1"}}


def test_payloads_are_frozen(hooks: ModuleType) -> None:
    payload = hooks.ToolPreInvokePayload(name="search")
    with pytest.raises(ValidationError, match="frozen"):
        payload.name = "other"


def test_contexts_can_be_changed(hooks: ModuleType) -> None:
    context = hooks.PluginContext.model_validate(CONTEXT)
    context.set_state("seen", 1)
    context.global_context.metadata["tool"] = {"name": "search"}
    assert context.get_state("seen") == 1
    assert context.get_state("missing", "none") == "none"
    assert context.model_dump()["global_context"]["metadata"] == {"tool": {"name": "search"}}


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("ToolPreInvokePayload", {"name": "search", "args": {}, "headers": None}),
        ("GlobalContext", {"request_id": "1"}),
        ("PluginViolation", {"reason": "r", "description": "d", "code": "c"}),
    ],
)
def test_unknown_fields_survive(hooks: ModuleType, model: str, data: dict[str, Any]) -> None:
    data = {**data, "newer": {"deep": [None, 1.5]}}
    dumped = getattr(hooks, model).model_validate(data).model_dump(mode="json")
    assert dumped["newer"] == {"deep": [None, 1.5]}


def test_unknown_fields_of_a_modified_payload_survive_in_a_result(hooks: ModuleType) -> None:
    data = {"modified_payload": {"name": "search", "unknown": [1]}}
    dumped = hooks.ToolPreInvokeResult.model_validate(data).model_dump(mode="json")
    assert dumped["modified_payload"]["unknown"] == [1]


def test_null_stands_for_the_empty_map(hooks: ModuleType) -> None:
    assert hooks.ToolPreInvokePayload(name="search", args=None).args == {}
    assert hooks.PromptPrehookPayload(prompt_id="p", args=None).args == {}
    assert hooks.PluginContext.model_validate({**CONTEXT, "state": None}).state == {}


def test_defaults_are_not_shared(hooks: ModuleType) -> None:
    hooks.ToolPreInvokePayload(name="one").args["a"] = 1
    assert hooks.ToolPreInvokePayload(name="two").args == {}


@pytest.mark.parametrize(
    ("model", "data", "path"),
    [
        ("ToolPreInvokePayload", {}, ("name",)),
        ("ToolPostInvokePayload", {"name": "search"}, ("result",)),
        ("AgentPreInvokePayload", {"agent_id": "a"}, ("messages",)),
        ("AgentPreInvokePayload", {"agent_id": "a", "messages": None}, ("messages",)),
        ("ToolPreInvokePayload", {"name": "search", "headers": {"a": 1}}, ("headers", "a")),
        ("HttpPreRequestPayload", {"path": "/", "method": "GET"}, ("headers",)),
        ("PluginContext", {}, ("global_context",)),
        ("PluginContext", {"global_context": {"request_id": 1}}, ("global_context", "request_id")),
        ("ToolPreInvokeResult", {"modified_payload": {"name": []}}, ("modified_payload", "name")),
        ("ToolPreInvokeResult", {"violation": {"reason": "r", "code": "c"}}, ("violation", "description")),
    ],
)
def test_an_error_names_its_path(hooks: ModuleType, model: str, data: dict[str, Any], path: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        getattr(hooks, model).model_validate(data)
    assert [error["loc"] for error in caught.value.errors()] == [path]


@pytest.mark.parametrize("as_model", [False, True])
def test_a_copy_takes_headers_as_a_plain_dict(hooks: ModuleType, as_model: bool) -> None:
    payload = hooks.ToolPreInvokePayload(name="search", headers={"old": "1"})
    headers = hooks.HttpHeaderPayload({"new": "2"}) if as_model else {"new": "2"}
    changed = payload.model_copy(update={"headers": headers, "args": {"q": 1}})
    # A field that holds the wrong type makes pydantic warn here, and warnings are errors in these tests.
    dumped = hooks.ToolPreInvokeResult(modified_payload=changed).model_dump(mode="json")
    assert dumped["modified_payload"] == {"name": "search", "args": {"q": 1}, "headers": {"new": "2"}}
    assert payload.headers["old"] == "1"


@pytest.mark.parametrize(
    "update", [None, {"name": "b"}, {"name": "b", "args": {}}, {"newer": 2}, {"name": "b", "other": 3}]
)
@pytest.mark.parametrize("data", [{"name": "a"}, {"name": "a", "args": {"q": 1}, "newer": 1}])
def test_a_copy_is_what_pydantic_makes(hooks: ModuleType, data: dict[str, Any], update: dict[str, Any] | None) -> None:
    payload = hooks.ToolPreInvokePayload.model_validate(data)
    ours, theirs = payload.model_copy(update=update), BaseModel.model_copy(payload, update=update)
    assert type(ours) is type(theirs)
    assert ours == theirs
    assert ours.model_fields_set == theirs.model_fields_set
    assert ours.model_dump_json() == theirs.model_dump_json()
    # Nothing of it is shared with the original.
    for part in ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__"):
        assert getattr(ours, part) is not getattr(payload, part)


@pytest.mark.parametrize("update", [None, {"root": {"Accept": "*/*"}}])
def test_a_copy_of_headers_is_what_pydantic_makes(hooks: ModuleType, update: dict[str, Any] | None) -> None:
    headers = hooks.HttpHeaderPayload({"Host": "a"})
    ours, theirs = headers.model_copy(update=update), BaseModel.model_copy(headers, update=update)
    assert vars(ours) == vars(theirs)
    assert ours.model_dump() == theirs.model_dump()


def test_headers_are_like_a_dict(hooks: ModuleType) -> None:
    headers = hooks.HttpHeaderPayload({"a": "1", "b": "2"})
    assert {**headers, "c": "3"} == {"a": "1", "b": "2", "c": "3"}
    assert list(headers) == ["a", "b"] == list(headers.keys())
    assert list(headers.items()) == [("a", "1"), ("b", "2")]
    assert (list(headers.values()), len(headers), "a" in headers) == (["1", "2"], 2, True)
    assert (headers["a"], headers.get("z"), headers.get("z", "0")) == ("1", None, "0")
    assert headers.model_dump(mode="json") == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("context", "email"),
    [
        ({}, None),
        ({"user": "ada@example.com"}, "ada@example.com"),
        ({"user": {"email": "ada@example.com"}}, "ada@example.com"),
        ({"user": {"name": "Ada"}}, None),
        ({"user": "old", "user_context": {"email": "ada@example.com"}}, "ada@example.com"),
    ],
)
def test_the_users_address(hooks: ModuleType, context: dict[str, Any], email: str | None) -> None:
    assert hooks.PluginContext(global_context={"request_id": "1", **context}).user_email == email


def test_a_result_goes_on_by_default(hooks: ModuleType) -> None:
    for spec in hooks.HOOKS.values():
        result = spec.result()
        assert (result.continue_processing, result.modified_payload, result.retry_delay_ms) == (True, None, 0)


def test_importing_the_models_loads_neither_grpc_nor_protobuf() -> None:
    code = "import sys, contract.hooks; print(*(name for name in ('grpc', 'google.protobuf') if name in sys.modules))"
    folder: Path = (ROOT / CONTRACT).parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=True
    )
    assert done.stdout.strip() == ""
