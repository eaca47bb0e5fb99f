"""AWS JSON by the book: a request is read, and an answer written, by botocore's own model of the service.

Required members, lengths, ranges, enumerations and patterns are looked at, which botocore itself does only in part, and
members that the model does not know are refused. An answer that the model does not allow is our own mistake and raises.
"""

import base64
import json
import re
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape


class ApiError(Exception):
    """An error as AWS answers it: its code, its words and the HTTP status."""

    def __init__(self, code: str, text: str = "", status: int = 400) -> None:
        super().__init__(text or code)
        self.code, self.text, self.status = code, text or code, status


class Drifted(AssertionError):
    """The simulator answered what AWS's model does not allow."""


@cache
def model(service: str) -> ServiceModel:
    """The model that the SDK itself uses."""
    return botocore.session.get_session().get_service_model(service)


def decode(service: str, operation: str, body: bytes) -> dict[str, Any]:
    """The members of a request. Raises ApiError."""
    known = model(service)
    if operation not in known.operation_names:
        raise ApiError("UnknownOperationException", status=404)
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("SerializationException") from None
    shape = known.operation_model(operation).input_shape
    if shape is None:
        return {}
    _check(shape, told, operation, _refuse)
    return dict(_from_json(shape, told))


def encode(service: str, operation: str, answer: dict[str, Any], loose: frozenset[str] = frozenset()) -> bytes:
    """The answer's text. `loose` names members whose pattern cannot hold on one's own machine. Raises Drifted."""
    shape = model(service).operation_model(operation).output_shape
    plain = _to_json(answer)
    if shape is not None:
        _check(shape, plain, operation, _drifted, loose)
    elif answer:
        raise Drifted(f"{operation} answers nothing")
    return json.dumps(plain, ensure_ascii=False).encode()


def _refuse(where: str, what: str) -> None:
    raise ApiError("ValidationException", f"{where}: {what}")


def _drifted(where: str, what: str) -> None:
    raise Drifted(f"{where}: {what}")


def _check(shape: Shape, value: Any, where: str, fail: Any, loose: frozenset[str] = frozenset()) -> None:
    match shape.type_name:
        case "structure":
            _structure(shape, value, where, fail, loose)
        case "list":
            _list(shape, value, where, fail, loose)
        case "map":
            _map(shape, value, where, fail, loose)
        case _:
            _scalar(shape, value, where, fail, loose)


def _structure(shape: StructureShape, value: Any, where: str, fail: Any, loose: frozenset[str]) -> None:
    if not isinstance(value, dict):
        fail(where, "is no structure")
    for name in shape.required_members:
        if value.get(name) is None:
            fail(f"{where}.{name}", "is required")
    for name, member in value.items():
        if name not in shape.members:
            fail(f"{where}.{name}", "is not known")
        if member is not None:
            _check(shape.members[name], member, f"{where}.{name}", fail, loose)


def _list(shape: ListShape, value: Any, where: str, fail: Any, loose: frozenset[str]) -> None:
    if not isinstance(value, list):
        fail(where, "is no list")
    _limits(shape, len(value), where, fail)
    for one in value:
        _check(shape.member, one, f"{where}[]", fail, loose)


def _map(shape: MapShape, value: Any, where: str, fail: Any, loose: frozenset[str]) -> None:
    if not isinstance(value, dict):
        fail(where, "is no map")
    for name, one in value.items():
        _check(shape.value, one, f"{where}[{name}]", fail, loose)


KINDS: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float),
    "blob": str,
}


def _scalar(shape: Shape, value: Any, where: str, fail: Any, loose: frozenset[str]) -> None:
    name = shape.type_name
    if not isinstance(value, KINDS[name]) or (isinstance(value, bool) and name != "boolean"):
        fail(where, f"is no {name}")
    if name == "string":
        _limits(shape, len(value), where, fail)
        if shape.enum and value not in shape.enum:
            fail(where, f"is none of {', '.join(shape.enum)}")
        pattern = shape.metadata.get("pattern")
        if pattern and where.rpartition(".")[2] not in loose and not re.search(pattern, value):
            fail(where, f"does not match {pattern}")
    elif name in ("integer", "long"):
        _limits(shape, value, where, fail)


def _limits(shape: Shape, size: int, where: str, fail: Any) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        fail(where, f"{size} is less than {least}")
    if most is not None and size > most:
        fail(where, f"{size} is more than {most}")


def _from_json(shape: Shape, value: Any) -> Any:
    """Bytes where the model says bytes."""
    if isinstance(shape, StructureShape):
        return {name: _from_json(shape.members[name], one) for name, one in value.items() if one is not None}
    if isinstance(shape, ListShape):
        return [_from_json(shape.member, one) for one in value]
    return base64.b64decode(value) if shape.type_name == "blob" else value


def _to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _to_json(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_to_json(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp() if isinstance(value, datetime) else value
