"""A gateway plugin: plugin.py is yours, contract/ is generated, runtime/ is managed by plugsmith."""
