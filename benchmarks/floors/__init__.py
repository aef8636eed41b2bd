"""Servers that only echo: what a transport costs before any plugin. They run in the rendered plugin's environment."""
