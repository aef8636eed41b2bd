"""A gateway plugin: plugin.py is yours, runtime/ is managed by plugsmith."""
