"""Python keywords as names in .proto files: what generated code can hold, and refusals of what it cannot."""

import io
import keyword
import re
import tokenize
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import FileDescriptorProto

_STATEMENT_ENDS = (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.COMMENT)
_CONSTRUCTOR = re.compile(r"^( *)self_,(.*)\n((?:.*\n)*?)\1?(?: *)\) -> None: \.\.\.$", re.MULTILINE)


def with_keywords_escaped(text: str) -> str:
    """Corrects a .pyi file in which mypy-protobuf wrote names that are keywords as they are.

    It calls the class of a message `class` `_r_class`, but not where it names what is nested in it.

    Args:
        text: the file, which is no valid Python.
    """
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    lines = text.split("\n")
    for index in range(len(tokens) - 2, 0, -1):
        before, token, after, next_after = tokens[index - 1], tokens[index], tokens[index + 1], tokens[index + 2 :][:1]
        if token.type != tokenize.NAME or not keyword.iskeyword(token.string):
            continue
        row, column = token.start
        first = before.type in _STATEMENT_ENDS
        if before.string == "." or (after.string == "." and not first):
            lines[row - 1] = f"{lines[row - 1][:column]}_r_{lines[row - 1][column:]}"
        elif first and after.string == ":" and next_after and next_after[0].type == tokenize.NAME:
            # An extension: it is there, for getattr, and no type checker can be told.
            lines[row - 1] = ""
    return "\n".join(lines)


def with_own_self(text: str) -> str:
    """Corrects a .pyi file in which the first parameter of a constructor has the name of a field.

    mypy-protobuf calls it `self_` where a field is called `self`, and a second field may be called that.
    """
    return _CONSTRUCTOR.sub(_with_free_self, text) if "self_:" in text else text


def _with_free_self(found: re.Match[str]) -> str:
    fields = set(re.findall(r"^ *(\w+):", found[3], re.MULTILINE))
    name = "self_"
    while name in fields:
        name += "_"
    return found[0].replace("self_,", f"{name},", 1)


def unwritable_services(file: FileDescriptorProto) -> Iterator[str]:
    """Says which services and methods of a file grpc's plugin cannot write, and why; a line for each."""
    for service in file.service:
        if keyword.iskeyword(service.name):
            yield _refusal(file, f"service {_full(file, service.name)}", service.name)
        for method in service.method:
            rpc = f"rpc {_full(file, service.name)}.{method.name}"
            if keyword.iskeyword(method.name):
                yield _refusal(file, rpc, method.name)
            for kind, name in (("request", method.input_type), ("response", method.output_type)):
                for segment in filter(keyword.iskeyword, name.split(".")):
                    yield _refusal(file, rpc, segment, f"the name of its {kind} type ")


def _full(file: FileDescriptorProto, name: str) -> str:
    return f"{file.package}.{name}" if file.package else name


def _refusal(file: FileDescriptorProto, what: str, word: str, whose: str = "") -> str:
    return (
        f'{file.name}: {what}: {whose}"{word}" is a Python keyword, which grpcio\'s stubs cannot hold: rename it, or '
        "leave services out with --no-grpc"
    )
