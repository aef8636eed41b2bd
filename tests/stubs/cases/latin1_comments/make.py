"""Writes a file with comments that are not UTF-8."""

import sys
from pathlib import Path

Path(sys.argv[1], "a.proto").write_bytes(
    b'// caf\xe9\nsyntax = "proto3";\npackage acme;\n// th\xe9\nmessage T { string s = 1; } // \xe0\n'
    b"// S\xe9\nservice S {\n  // G\xe9\n  rpc Get(T) returns (T);\n}\n"
)
