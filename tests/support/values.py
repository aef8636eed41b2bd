"""What a payload may carry, for hypothesis, and the rules of its way over the wire (WIRE: numbers)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

EXACT = 2**53

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.none() | st.booleans() | st.integers(-EXACT, EXACT) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20
)
maps = st.dictionaries(texts, values, max_size=5)


def integral(value: Any) -> Any:
    """A value as it is read back from protobuf: integral numbers up to 2^53 are integers."""
    if isinstance(value, dict):
        return {name: integral(part) for name, part in value.items()}
    if isinstance(value, list):
        return [integral(part) for part in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return value


def types(value: Any) -> Any:
    """The types of a value's parts, since 1 == 1.0 == True."""
    if isinstance(value, dict):
        return {name: types(part) for name, part in value.items()}
    return [types(part) for part in value] if isinstance(value, list) else type(value)
