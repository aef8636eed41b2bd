"""Spans of hook calls: whose child a span is, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

import pytest
from plugsmith_runtime.host.messages import HookCall
from plugsmith_runtime.host.tracing import HookTracer
from plugsmith_runtime.observability.calls import Outcome

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Spans:
    """A tracer that keeps what it was asked for."""

    carrier: Mapping[str, str] = {"traceparent": OTHER}

    def start_span(self, name: str, attributes: Mapping[str, str], parent: Mapping[str, str]) -> Spans:
        self.name, self.attributes, self.parent = name, attributes, parent
        return self

    def __enter__(self) -> Spans:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def done(self, outcome: Outcome, code: str) -> None: ...


def _call(trace: Mapping[str, str] | None = None, metadata: object = None) -> HookCall:
    context = {"global_context": {"request_id": "r1", "metadata": metadata}}
    return HookCall("tool_pre_invoke", "p", {}, context, "unix", trace=trace)


@pytest.mark.parametrize(
    ("call", "parent"),
    [
        (_call(trace={"traceparent": CALLER, "tracestate": "a=1"}), {"traceparent": CALLER, "tracestate": "a=1"}),
        (_call(metadata={"traceparent": CALLER, "other": "x"}), {"traceparent": CALLER}),
        (_call(trace={"traceparent": CALLER}, metadata={"traceparent": OTHER}), {"traceparent": CALLER}),
        (_call(metadata={"traceparent": 7}), {}),
        (_call(metadata="text"), {}),
        (HookCall("tool_pre_invoke", "p", {}, "text", "unix"), {}),
    ],
)
def test_a_span_is_the_child_of_the_callers(call: HookCall, parent: dict[str, str]) -> None:
    spans = Spans()
    HookTracer(spans, {}).span(call)
    assert spans.parent == parent


def test_a_span_says_what_is_called_and_how() -> None:
    spans, call = Spans(), _call()
    tracer = HookTracer(spans, {"unix": {"network.transport": "unix"}})
    tracer.span(call)
    assert spans.name == "hook tool_pre_invoke"
    assert spans.attributes == {
        "plugin.name": "p",
        "plugin.hook": "tool_pre_invoke",
        "plugin.transport": "unix",
        "plugin.request_id": "r1",
        "network.transport": "unix",
    }
    # From here on the call is at this place of the trace.
    assert tracer.trace_id(call) == OTHER[3:35]


def test_a_made_up_hook_is_not_named() -> None:
    spans = Spans()
    HookTracer(spans, {}).span(HookCall("made_up", "p", {}, None, "unix"))
    assert spans.name == "hook unknown"
