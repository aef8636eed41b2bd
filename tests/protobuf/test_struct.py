"""The conversion between Struct and Python values, with google.protobuf.json_format as the judge."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from plugsmith_runtime.contract import plugin_service_pb2 as pb
from plugsmith_runtime.errors import DecodeError, EncodeError
from plugsmith_runtime.json_values import find_unencodable
from plugsmith_runtime.protobuf import struct, struct_bytes

from tests.support.values import EXACT, integral, maps, types


@settings(max_examples=300, deadline=None)
@given(data=maps)
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    message = pb.InvokeHookRequest()
    struct.to_struct(data, message.payload, "payload")
    read = struct.from_struct(pb.InvokeHookRequest.FromString(message.SerializeToString()).payload)
    assert read == integral(data)
    assert types(read) == types(integral(data))


@settings(max_examples=300, deadline=None)
@given(data=maps)
def test_json_format_writes_and_reads_the_same(data: dict[str, Any]) -> None:
    ours, theirs = pb.InvokeHookRequest(), pb.InvokeHookRequest()
    struct.to_struct(data, ours.payload, "payload")
    json_format.ParseDict(data, theirs.payload)
    theirs.payload.SetInParent()
    assert ours == theirs
    assert struct.from_struct(theirs.payload) == json_format.MessageToDict(theirs.payload)


@settings(max_examples=300, deadline=None)
@given(data=maps, text=st.integers(0, 40_000), size=st.integers(0, 300))
def test_the_short_way_to_bytes_writes_the_same(data: dict[str, Any], text: int, size: int) -> None:
    """With texts, keys, lists and maps whose lengths take one byte, two and three."""
    data |= {"k" * size: "x" * text, "list": list(range(size)), "map": {"é" * n: None for n in range(size // 10)}}
    written = struct_bytes.encode_struct(data)
    message = pb.InvokeHookRequest()
    struct.to_struct(data, message.payload, "payload")
    assert type(message.payload).FromString(written) == message.payload


@pytest.mark.parametrize(
    "data",
    [
        {"a": EXACT + 1}, {"a": math.nan}, {"a": [-math.inf]}, {"a": "\ud800"}, {"\udfff": 1}, {1: 2}, {"a": (1,)},
        {"a": b""}, {"a": {"b": object()}}, {"a": json.loads("[" * 60 + "]" * 60)}, [], None,
    ],
)  # fmt: skip
def test_the_short_way_leaves_to_the_long_one_what_is_unusual(data: Any) -> None:
    short = struct_bytes
    with pytest.raises(short.NeedsSlowPathError):
        short.encode_struct(data)


@given(value=st.floats(allow_nan=False, allow_infinity=False, min_value=2.0**53))
def test_a_double_beyond_2_53_stays_a_double(value: float) -> None:
    message = pb.InvokeHookRequest()
    struct.to_struct({"x": value}, message.payload, "payload")
    read = struct.from_struct(message.payload)["x"]
    assert read == value
    assert isinstance(read, int if value == EXACT else float)


@pytest.mark.parametrize(
    ("data", "path", "reason"),
    [
        ({"a": {"b": [0, EXACT + 1]}}, "p.a.b[1]", "integer beyond 2^53 cannot travel as a protobuf number"),
        ({"a": -EXACT - 1}, "p.a", "integer beyond 2^53 cannot travel as a protobuf number"),
        ({"a": [[math.nan]]}, "p.a[0][0]", "NaN is not JSON"),
        ({"a": -math.inf}, "p.a", "infinity is not JSON"),
        ({"a": "\ud800"}, "p.a", "lone surrogate"),
        ({"a": {"\udfff": 1}}, "p.a", "lone surrogate in a key"),
        ({"a": {1: 2}}, "p.a", "key is not a string but int"),
        ({"a b": {"c.d": b""}}, 'p["a b"]["c.d"]', "object of type bytes"),
        ({"a": {1, 2}}, "p.a", "object of type set"),
    ],
)
def test_what_cannot_travel_is_refused(data: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(EncodeError) as refused:
        struct.to_struct(data, pb.InvokeHookRequest().payload, "p")
    assert (refused.value.path, refused.value.reason) == (path, reason)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_has_not_is_not_read(number: float) -> None:
    request = pb.InvokeHookRequest()
    request.payload.update({"a": [1, {"b": number}]})
    with pytest.raises(DecodeError) as refused:
        struct.from_struct(request.payload, "payload")
    assert str(refused.value) == "payload.a[1].b: NaN and infinity are not JSON"


def nested(levels: int, as_list: bool) -> dict[str, Any]:
    value: Any = {}
    for _ in range(levels):
        value = [value] if as_list else {"a": value}
    return {"a": value}


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("levels", [1, 20, 28, 29, 40, 45, 60, 5_000])
def test_what_is_written_can_be_parsed_however_deep(as_list: bool, levels: int) -> None:
    message = pb.InvokeHookResponse()
    data = nested(levels, as_list)
    try:
        struct.to_struct(data, message.result, "result")
    except EncodeError as error:
        assert levels > 20
        assert error.reason == "nested too deep"
    else:
        assert struct.from_struct(pb.InvokeHookResponse.FromString(message.SerializeToString()).result) == data


def test_a_map_that_holds_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["self"] = [data, data]
    with pytest.raises(EncodeError, match="nested too deep"):
        struct.to_struct(data, pb.InvokeHookResponse().result, "result")
    found = find_unencodable(data)
    assert found is not None and found[1] == "nested too deep"


def test_json_keeps_integers_of_64_bits() -> None:
    assert find_unencodable({"a": [2**64 - 1, -(2**63)]}) is None
    assert find_unencodable({"a": 2**64}) == ("a", "integer beyond 64 bits")
