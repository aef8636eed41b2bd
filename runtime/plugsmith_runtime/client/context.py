"""The context that a caller sends along."""

from __future__ import annotations

import uuid
from typing import Any


def new_context() -> dict[str, Any]:
    """A plugin context for a request of its own."""
    return {"global_context": {"request_id": uuid.uuid4().hex}, "state": {}, "metadata": {}}
