"""Fixtures that several test folders share."""

from __future__ import annotations

import pytest

from tests.support.rendering import ALL_HOOKS, RenderedPlugin, rendered_plugin


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> RenderedPlugin:
    """A rendered plugin with all hooks, and an environment with its extra grpc."""
    return rendered_plugin(
        tmp_path_factory.mktemp("rendered") / "plugin", "grpc", plugin_name="Word Guard", hooks=ALL_HOOKS
    )
