"""What callers can ask for by name: hooks, and the methods of plugins that answer Docker's MCP gateway.

Names only: the models behind the methods cost a start more than all of this, and few servers have such a plugin.
"""

from __future__ import annotations

from ..contract.hooks import HOOKS

METHODS = (
    "record_counter",
    "record_histogram",
    "record_gauge",
    "validate_credential",
    "store_credential",
    "retrieve_credential",
    "delete_credential",
    "list_credentials",
    "log_event",
)
"""The methods; providers/methods.py knows their models."""

CALLS = (*HOOKS, *METHODS)
"""All names."""
