"""plugsmith: turns a shared protobuf contract into plugin repositories."""

__version__ = "0.1.0"
