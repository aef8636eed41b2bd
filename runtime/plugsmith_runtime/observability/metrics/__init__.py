"""What can be counted, for Prometheus. Nothing here imports prometheus_client before it is needed."""

from __future__ import annotations

from .metrics import Metrics

__all__ = ["Metrics"]
