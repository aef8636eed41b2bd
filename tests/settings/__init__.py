"""The settings engine, in place."""
