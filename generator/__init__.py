"""plugsmith: turns a shared protobuf contract into plugin repositories."""

from plugsmith_runtime._version import __version__ as __version__
