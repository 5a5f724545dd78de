"""The guest's VGA in text mode: keys that are pressed on its keyboard, the text on it, and what the picture shows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.machine import Machine

COLUMNS, ROWS = 80, 25
CELL_WIDTH, CELL_HEIGHT = 9, 16
KEYS = {":": ("shift", "semicolon"), " ": ("spc",), "\n": ("ret",)}

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """720 x 400 pixels of red, green and blue, as QEMU dumps them."""

    pixels: bytes

    def cell(self, column: int, row: int) -> list[list[Colour]]:
        """The pixels of one character, line by line."""
        width = COLUMNS * CELL_WIDTH

        def pixel(x: int, y: int) -> Colour:
            at = 3 * ((row * CELL_HEIGHT + y) * width + column * CELL_WIDTH + x)
            return self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]

        return [[pixel(x, y) for x in range(CELL_WIDTH)] for y in range(CELL_HEIGHT)]

    def colours(self, column: int, row: int) -> set[Colour]:
        return {colour for line in self.cell(column, row) for colour in line}


class VgaScreen:
    """Of a machine made with `has_screen`, after its start."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def press(self, keys: str) -> None:
        """Each character is a key, or one key by QEMU's name in angle brackets: `<f6>`."""
        while keys:
            if keys.startswith("<"):
                name, _, keys = keys[1:].partition(">")
                codes: tuple[str, ...] = (name,)
            else:
                codes, keys = KEYS.get(keys[0], (keys[0],)), keys[1:]
            wanted = [{"type": "qcode", "data": code} for code in codes]
            self._machine.qmp.raw("send-key", {"keys": wanted, "hold-time": 50})

    def text(self) -> str:
        """What the kernel has on the first terminal, as characters."""
        cells = self._machine.get("/dev/vcsu1")
        characters = cells.decode("utf-32-le")
        return "\n".join(characters[start : start + COLUMNS] for start in range(0, len(characters), COLUMNS))

    def shows(self, *words: str, timeout_s: float = 60) -> str:
        """Wait for all of these; the whole text."""
        is_there: Callable[[str], bool] = lambda text: all(word in text for word in words)  # noqa: E731
        return self._machine.until(self.text, is_there, f"{words} on the screen", timeout_s=timeout_s)

    def picture(self, path: Path) -> Picture:
        """What a person in front of it sees; kept in the file (PPM)."""
        self._machine.qmp.execute("screendump", filename=str(path))
        head, size, depth, pixels = path.read_bytes().split(b"\n", 3)
        expected = f"{COLUMNS * CELL_WIDTH} {ROWS * CELL_HEIGHT}".encode()
        assert (head, size, depth) == (b"P6", expected, b"255"), (head, size, depth)
        return Picture(pixels)
