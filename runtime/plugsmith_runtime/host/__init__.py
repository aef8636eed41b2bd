"""Plugins and their calls; it knows no wire."""
