"""Observability: call events, logging, metrics, traces and status pages."""
