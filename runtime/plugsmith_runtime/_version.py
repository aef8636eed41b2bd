"""The version of plugsmith and of its runtime: one number for both distributions."""

__version__ = "0.1.0"
