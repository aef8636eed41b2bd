"""Test helpers for plugins: those of the distribution plugsmith-runtime. Managed by plugsmith."""

from plugsmith_runtime.testing import *  # noqa: F403 - its public names
from plugsmith_runtime.testing import __all__ as __all__

# The fixtures, for the conftest.py that names this module in its `pytest_plugins`.
pytest_plugins = ["plugsmith_runtime.tools.testing.fixtures"]
