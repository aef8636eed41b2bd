"""Generic services (`option py_generic_services`): the classes that protoc makes."""

from typing import Any

from .api import desk_pb2

module: Any = desk_pb2


class Desk(module.Desk):  # type: ignore[misc]
    def Talk(self, controller: object, request: Any, done: Any) -> None:
        done(desk_pb2.Answer(text=request.text.upper()))


answers: list[Any] = []
method = module.Desk.DESCRIPTOR.methods_by_name["Talk"]
Desk().CallMethod(method, None, desk_pb2.Ask(text="a"), answers.append)
assert [answer.text for answer in answers] == ["A"]
assert module.Desk_Stub.DESCRIPTOR.full_name == "acme.desk.Desk"
