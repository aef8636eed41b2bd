"""Dashes and dots in file names, and comments that look like imports."""

from .api import doc_pb2, my_types_pb2
from .api.sub_folder.dotted import name_pb2

dotted = name_pb2.Dotted(mine=my_types_pb2.Mine(name="n"))
assert name_pb2.Dotted.FromString(dotted.SerializeToString()) == dotted
assert doc_pb2.Doc(mine=dotted.mine).mine.name == "n"
