"""Gateway 1.0.0's own gRPC client, all hooks; the other releases and transports run by `nox -s gateways`."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.support.rendering import RenderedPlugin

from .judge import CHECKS, Colour, judge
from .matrix import cells, server
from .releases import FRAMEWORK_OF_1_0_0


@pytest.fixture(scope="module")
def seen(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with server(rendered, tmp_path_factory.mktemp("responder")) as running:
        return running.seen(FRAMEWORK_OF_1_0_0, "grpc")


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_wrong(seen: dict[str, Any], check: str) -> None:
    judged = cells(FRAMEWORK_OF_1_0_0, "grpc", seen, [check])
    assert judged
    assert not [cell for cell in judged if cell.colour is Colour.RED]


@pytest.mark.parametrize("check", CHECKS)
def test_no_check_passes_for_another_answer(seen: dict[str, Any], check: str) -> None:
    broken = copy.deepcopy(seen)
    other = {"error": {"message": "something else", "code": "OTHER"}}
    broken["entries"] = dict.fromkeys(seen["entries"], other)
    calls = broken["hooks"]["tool_pre_invoke"]
    for name in ("modify", "violation", "error", "crash", "first", "second", "unknown", "objects"):
        calls[name] = other
    colour, _ = judge(check, "tool_pre_invoke", "http", broken)
    assert colour is Colour.RED


@pytest.mark.parametrize("check", ["modified", "violation", "state", "error"])
def test_an_answer_with_one_wrong_value_is_wrong(seen: dict[str, Any], check: str) -> None:
    broken = copy.deepcopy(seen)
    calls = broken["hooks"]["tool_pre_invoke"]
    calls["modify"]["modified_payload"]["args"]["changed"]["a.b"][2][0] = False
    calls["violation"]["continue_processing"] = True
    calls["state"]["own"]["calls"] = 1
    calls["crash"]["error"]["code"] = "OTHER"
    colour, said = judge(check, "tool_pre_invoke", "grpc", broken)
    assert colour is Colour.RED
    assert said
