"""Test helpers for plugins: those of the distribution plugsmith-runtime. Managed by plugsmith."""

from plugsmith_runtime.testing import *  # noqa: F403 - its public names
from plugsmith_runtime.testing import __all__ as __all__
