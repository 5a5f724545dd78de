"""Reads bit fields and Exp-Golomb codes (H.264 §7.2, §9.1; ISO 14496-3). Cold path: parameter sets and configurations."""

from __future__ import annotations


class OutOfBits(ValueError):
    """The data ended inside a field: it is damaged or no such structure."""


class BitReader:
    """Bits of `data`, most significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._size = len(data) * 8
        self.position = 0

    @property
    def remaining(self) -> int:
        return self._size - self.position

    def read(self, count: int) -> int:
        end = self.position + count
        if end > self._size:
            raise OutOfBits
        self.position = end
        return (self._value >> (self._size - end)) & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.read(1) == 1

    def skip(self, count: int) -> None:
        if self.position + count > self._size:
            raise OutOfBits
        self.position += count

    def ue(self) -> int:
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise OutOfBits
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def unescape(nal: bytes) -> bytes:
    """A NAL unit's payload without emulation prevention bytes (00 00 03 -> 00 00)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")
