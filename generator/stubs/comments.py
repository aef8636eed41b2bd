"""Comments of .proto files that the compilers' plugins would not write faithfully."""

import re
from collections.abc import Iterator, Mapping

from google.protobuf.descriptor_pb2 import FileDescriptorProto, SourceCodeInfo

from .descriptor_sets import COMMENTS

_SERVICE = FileDescriptorProto.DESCRIPTOR.fields_by_name["service"].number
# What Python or an editor takes for something else than the character itself.
_CONTROL = re.compile(r"[^\S \t\n]|[\x00-\x08\x0e-\x1f\x7f]")
_UNFAITHFUL = re.compile(rf'\\|"""|^[ \t]|{_CONTROL.pattern}', re.MULTILINE)
# Quotes that would end the docstring.
_CLOSING_QUOTES = re.compile(r'"{3,}|"+\Z')


def shield(file: FileDescriptorProto) -> dict[str, str]:
    """Replaces the comments of services and methods that grpc's plugin would not write faithfully.

    The plugin puts them between triple quotes as they are: a backslash becomes an escape, quotes end the docstring and
    what follows is code, and the indentation of lines is lost.

    Args:
        file: the file, whose comments are replaced by words that stand for them.

    Returns:
        The text of each comment by the word in its place; see `docstrings`.
    """
    texts: dict[str, str] = {}
    for location in file.source_code_info.location:
        if location.path[:1] != [_SERVICE] or not _commented(location):
            continue
        text = _text(location)
        if _UNFAITHFUL.search(text):
            word = f"plugsmith_comment_{len(texts)}"
            texts[word] = text
            for name in COMMENTS:
                location.ClearField(name)  # type: ignore[arg-type]
            location.leading_comments = f" {word}\n"
    return texts


def docstrings(source: str, texts: Mapping[str, str]) -> str:
    """Puts the comments that `shield` took away into a module as docstrings whose values are the comments' text.

    Args:
        source: the module that grpc's plugin wrote.
        texts: what `shield` returned.
    """
    return re.sub(r'"""(plugsmith_comment_\d+)\n *"""', lambda found: _literal(texts[found[1]]), source)


def _literal(text: str) -> str:
    escaped = _CLOSING_QUOTES.sub(lambda found: '\\"' * len(found[0]), text.replace("\\", "\\\\"))
    return f'"""{_CONTROL.sub(lambda found: _escaped(found[0]), escaped)}"""'


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"


def _commented(location: SourceCodeInfo.Location) -> bool:
    return bool(location.leading_detached_comments or location.leading_comments or location.trailing_comments)


def _text(location: SourceCodeInfo.Location) -> str:
    # In the order in which grpc's plugin writes them.
    parts = [*location.leading_detached_comments]
    parts.append(location.leading_comments + location.trailing_comments)
    return "\n\n".join("\n".join(_without_margin(part)) for part in parts if part.strip()).strip("\n")


def _without_margin(comment: str) -> Iterator[str]:
    # Most comments have a space after the slashes, which is no part of the text.
    lines = comment.rstrip("\n").split("\n")
    margin = " " if all(line.startswith(" ") or not line for line in lines) else ""
    return (line.removeprefix(margin).rstrip() for line in lines)


def breaks_deprecations(file: FileDescriptorProto) -> bool:
    """Returns whether mypy-protobuf would write a wrong `@deprecated(...)` for the comments of a file.

    It puts the comments of deprecated elements between triple quotes as they are.
    """
    return any(
        "\\" in comment or '"' in comment
        for location in file.source_code_info.location
        for comment in (*location.leading_detached_comments, location.leading_comments, location.trailing_comments)
    )
