"""Names that other formats than Python read."""

from __future__ import annotations

import pytest

from tests.template.conftest import Render


@pytest.mark.parametrize("name", ["Yes", "no", "On", "off", "null"])
def test_names_that_yaml_takes_for_something_else_are_refused(render: Render, name: str) -> None:
    with pytest.raises(ValueError, match="has a meaning of its own"):
        render(plugin_name=name)
