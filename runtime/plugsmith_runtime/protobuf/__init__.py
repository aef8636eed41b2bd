"""google.protobuf.Struct to and from Python values."""
