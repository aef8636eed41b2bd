"""Writes a file of 500 messages that refer to one another."""

import sys
from pathlib import Path

lines = ['syntax = "proto3";', "package many;", "message M0 { string name = 1; }"]
for n in range(1, 500):
    fields = f"string name = 1; M{n - 1} before = 2; repeated M{n // 2} half = 3; map<string, M{n // 3}> third = 4;"
    lines.append(f"// Message number {n}.\nmessage M{n} {{ {fields} }}")
Path(sys.argv[1], "many.proto").write_text("\n".join(lines) + "\n", encoding="utf-8")
