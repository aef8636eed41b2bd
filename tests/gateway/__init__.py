"""Rendered plugins, driven by the gateways' own clients."""
