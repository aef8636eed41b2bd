"""Metrics for Prometheus. Nothing here imports prometheus_client before it is needed."""

from __future__ import annotations

from .certificates import Certificates
from .metrics import Metrics
from .multiprocess import MetricsFolder

__all__ = ["Certificates", "Metrics", "MetricsFolder"]
