"""Test helpers for plugins; `plugsmith_runtime.testing` is their public door."""
