"""Fixtures for pytest: those of the distribution plugsmith-runtime. Managed by plugsmith."""

pytest_plugins = ["plugsmith_runtime.testing.fixtures"]
