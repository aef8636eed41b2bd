"""Conversion between google.protobuf.Struct and JSON values."""
