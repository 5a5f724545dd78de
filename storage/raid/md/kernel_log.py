"""What the kernel log says about drives that no inventory shows.

md keeps a drive with sectors it could not repair and counts nothing: only these lines tell. Every notice names the drive by
its bay and serial number, not by its kernel name.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

_RECORD = re.compile(r"^([0-7]),\d+,\d+,[^;]*;(.*)$", re.DOTALL)
"""Of the kernel itself: facility 0, so that the number is the severity alone (Documentation/ABI/testing/dev-kmsg). Programs that
write there have another."""
_DEVICE = r"(?P<drive>[a-zA-Z]+[a-zA-Z0-9]*)"
_RAID = r"^(?:md/raid\w*:\w+: |raid\d+: )"
_BLOCK = r"^(?:blk_update_request: |print_req_error: |end_request: )?"
"""From the beginning of the line: further on may stand what a USB device calls itself, or a process."""
_RAID = r"^(?:md/)?raid\w*:\s?(?:\w+:\s)*"
_BLOCK = r"^(?:blk_update_request: |print_req_error: |end_request: )?"
"""From the beginning of the line: further on may stand what a USB device or a process calls itself."""
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"{_RAID}read error corrected \(.* on {_DEVICE}\)"),
        "unreadable sectors were rewritten from the other drives",
    ),
    (
        re.compile(rf"{_RAID}read error (?:NOT corrected|not correctable).* on {_DEVICE}\)"),
        "unreadable sectors could not be repaired; the array still calls it healthy",
    ),
    (re.compile(rf"{_BLOCK}critical medium error, dev {_DEVICE}\b"), "the drive reports unreadable sectors"),
    (re.compile(rf"{_BLOCK}I/O error, dev {_DEVICE}\b"), "input/output errors"),
    (re.compile(rf"{_RAID}Disk failure on {_DEVICE}\b"), "its array dropped it"),
    (
        re.compile(rf"^md: {_DEVICE}: super_written gets error"),
        "the array's description could not be written to it",
    ),
)
_UNNAMED = re.compile(r"^md: super_written gets error")
_READ_BYTES = 8192
_MOST_RECORDS = 2000
"""A drain; what is left is read at the next one, so that a flood of errors does not hold up the caller."""


def notice_of(message: str) -> tuple[str, str] | None:
    """Kernel name of the drive ("" when the line has none) and what happened; None for lines of no interest."""
    for pattern, what in _PATTERNS:
        found = pattern.search(message)
        if found is not None:
            return _whole_drive(found["drive"]), what
    return ("", "the description of an array could not be written") if _UNNAMED.search(message) else None


def _whole_drive(name: str) -> str:
    if name.startswith("nvme"):
        return re.sub(r"p\d+$", "", name)
    return name.rstrip("0123456789") if name.startswith(("sd", "vd", "hd")) else name


def notices(messages: Iterable[str], describe: Callable[[str], str]) -> list[str]:
    """One for each drive and kind, with how often it was said."""
    counts: Counter[tuple[str, str]] = Counter()
    for message in messages:
        found = notice_of(message)
        if found is not None and not found[0].startswith(("md", "dm", "loop")):
            counts[found] += 1
    return [
        f"{describe(name) if name else 'a drive'}: {what}{f' ({times} times)' if times > 1 else ''}"
        for (name, what), times in counts.items()
    ]


class KernelLogWatch:
    """A Wakeup on /dev/kmsg, from now on."""

    def __init__(self, path: Path, describe: Callable[[str], str]) -> None:
        self._describe = describe
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            os.lseek(self._fd, 0, os.SEEK_END)

    def fileno(self) -> int:
        return self._fd

    def drain(self) -> Sequence[str]:
        return notices(self._messages(), self._describe)

    def _messages(self) -> list[str]:
        found: list[str] = []
        for _ in range(_MOST_RECORDS):
            try:
                record = os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                break
            except BrokenPipeError:
                continue  # the ring was faster: the next read goes on with the oldest record left
            if not record:
                break
            parsed = _RECORD.match(record.decode("utf-8", "replace").partition("\n")[0])
            if parsed is not None:
                found.append(parsed[2])
        return found

    def close(self) -> None:
        os.close(self._fd)
