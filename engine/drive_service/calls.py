"""What crosses the drive service's socket: the calls of storage.hardware.Hardware, nothing else.

A message is four bytes of length (big endian) and MessagePack. A request is `[method, [arguments]]`; the answer `{"value": ...}` or
`{"error": {code, what, remedy}}`. The types of arguments and values come from the interface itself, so that a call exists on the wire
exactly when it exists there. `watch` answers with a stream of notices instead, one message per wake-up.

Every decoder is made when this module is imported: msgspec finds out how a type is read at its first use, and two threads that do so
at the same moment end the process (SIGSEGV). Calls come in several threads on both sides.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec

from storage.errors import DriveError, InvalidInput
from storage.hardware import Hardware

WATCH = "watch"
MESSAGE_LIMIT_BYTES = 4 * 1024 * 1024
"""An inventory of 16 drives is some 20 kB."""
_LENGTH = struct.Struct(">I")
_LOCAL_ONLY = frozenset({"wakeups", "close"})

CALL_TIMEOUT_S = {
    "perform": 300.0,
    "make_volume": 600.0,
    "unmake_volume": 120.0,
    "smart": 60.0,
    "detect": 240.0,
    "self_tests": 60.0,
    "start_self_test": 60.0,
    "abort_self_test": 60.0,
}
"""How long a client waits; the tools behind have shorter limits of their own."""
DEFAULT_TIMEOUT_S = 30.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    what: str
    remedy: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class CallType:
    """How one method's arguments and value are read."""

    arguments: msgspec.msgpack.Decoder[Any]
    value: msgspec.msgpack.Decoder[Any]


def _call_types() -> dict[str, CallType]:
    found: dict[str, CallType] = {}
    for name, method in vars(Hardware).items():
        if name.startswith("_") or name in _LOCAL_ONLY or not callable(method):
            continue
        hints = get_type_hints(method)
        value = hints.pop("return")
        arguments: Any = tuple[tuple(hints.values())] if hints else tuple[()]  # type: ignore[misc]
        found[name] = CallType(msgspec.msgpack.Decoder(arguments), msgspec.msgpack.Decoder(value))
    return found


CALL_TYPES = _call_types()
"""Every method of Hardware that may be called from outside."""
_REQUEST = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
_ANSWER = msgspec.msgpack.Decoder(Answer)
_NOTICES = msgspec.msgpack.Decoder(tuple[str, ...])


def decode_request(message: bytes) -> tuple[str, tuple[Any, ...]]:
    """Method and arguments. Raises InvalidInput for anything that is not a call of ours."""
    try:
        method, raw = _REQUEST.decode(message)
        if method == WATCH:
            return method, ()
        if method not in CALL_TYPES:
            raise InvalidInput(
                f"the drive service knows no call {method[:40]!r}",
                "engine and drive service differ: restart both",
            )
        return method, CALL_TYPES[method].arguments.decode(raw)
    except msgspec.MsgspecError as error:
        raise InvalidInput(
            f"a call to the drive service cannot be read: {error}",
            "engine and drive service differ: restart both",
        ) from error


def decode_answer(message: bytes) -> Answer:
    """Raises msgspec.MsgspecError."""
    return _ANSWER.decode(message)


def decode_value(method: str, answer: Answer) -> Any:
    """What the method returned. Raises msgspec.MsgspecError."""
    return CALL_TYPES[method].value.decode(answer.value)


def decode_notices(message: bytes) -> tuple[str, ...]:
    """What came on the connection of a watcher. Raises msgspec.MsgspecError."""
    return _NOTICES.decode(message)


def encode_request(method: str, arguments: tuple[Any, ...]) -> bytes:
    return msgspec.msgpack.encode((method, arguments))


def send_message(connection: socket.socket, message: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(message)) + message)


def receive_message(connection: socket.socket) -> bytes | None:
    """The next message; None when the other end has closed. Raises DriveError for one that is too long or cut off."""
    head = _receive(connection.recv, _LENGTH.size)
    if not head:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MESSAGE_LIMIT_BYTES:
        raise DriveError(
            f"a message of {length} bytes to or from the drive service: the limit is {MESSAGE_LIMIT_BYTES}"
        )
    body = _receive(connection.recv, length)
    if len(body) != length:
        raise DriveError(
            "the drive service broke off in the middle of a message",
            "see its log: journalctl -u watchdeck-drives",
        )
    return body


def _receive(read: Callable[[int], bytes], length: int) -> bytes:
    """`length` bytes, or nothing when the end comes first."""
    parts: list[bytes] = []
    missing = length
    while missing:
        part = read(missing)
        if not part:
            return b""
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
