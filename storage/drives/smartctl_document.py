"""Reading JSON of smartctl without trusting it: a field that is absent, null or of another type is simply not there.

smartctl changes types between versions (`smart_support` was a bool and is an object), and firmware fills fields with
nonsense; one odd field must never cost the whole report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from storage.errors import DriveError
from storage.plain_text import LARGEST, plain_text


class Document:
    """An object of the JSON, or the place where there is none. Read only."""

    def __init__(self, value: object) -> None:
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}

    @classmethod
    def parse(cls, data: bytes) -> Document:
        """Raises DriveError when it is no JSON object, saying how it begins."""
        try:
            value = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            begins = data[:60].decode("utf-8", "replace").strip()
            what = f"it begins with {begins!r}" if begins else "it is empty"
            raise DriveError(
                f"the report of smartctl cannot be read: {error}; {what}", "run smartctl by hand"
            ) from error
        if not isinstance(value, dict):
            raise DriveError("the report of smartctl is not an object", "run smartctl by hand")
        return cls(value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def at(self, *path: str) -> Document:
        """The object there, or an empty one."""
        found = self
        for key in path:
            found = Document(found._value.get(key))
        return found

    def number(self, *path: str) -> int | None:
        value = self._leaf(path)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            return None
        return int(value)

    def text(self, *path: str) -> str:
        value = self._leaf(path)
        return plain_text(value.strip()) if isinstance(value, str) else ""

    def flag(self, *path: str) -> bool | None:
        value = self._leaf(path)
        return value if isinstance(value, bool) else None

    def rows(self, *path: str) -> tuple[Document, ...]:
        """The objects of the list there; holes (null) are left out."""
        value = self._leaf(path)
        if not isinstance(value, list):
            return ()
        return tuple(Document(item) for item in value if isinstance(item, dict) and item)

    def items(self) -> Iterator[tuple[str, Document]]:
        """Its members that are objects themselves."""
        for key, value in self._value.items():
            if isinstance(value, dict):
                yield key, Document(value)

    def _leaf(self, path: tuple[str, ...]) -> object:
        *parents, last = path
        return self.at(*parents)._value.get(last)
