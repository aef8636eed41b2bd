"""Writes files whose lines end in CR, LF and CRLF."""

import sys
from pathlib import Path

folder = Path(sys.argv[1])
(folder / "base.proto").write_bytes(b'syntax = "proto3";\rpackage acme;\r// The base.\rmessage Base {}\r')
(folder / "use.proto").write_bytes(
    b'// one\r// two\n// three\r\nsyntax = "proto3";\npackage acme;\nimport "base.proto";\r\n'
    b"// T holds\r// a base.\r\nmessage T {\n  // Of T\r  // itself.\n  Base b = 1;\n}\n"
    b"// S serves\r// it.\nservice S { rpc Get(T) returns (T); }\n"
)
