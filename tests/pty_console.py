"""Run a program in a pseudo-terminal with a screen behind it, and answer its questions like a terminal would.

    with PtyConsole([python, "app.py"], env={...}, columns=80, rows=24, answers=Answers(...)) as console:
        console.wait_for("ready")            text on the screen
        console.send("j"); console.settle()  until nothing came for a moment
        console.text, console.line(3), console.cell(x, y), console.cells(), console.bytes_out, console.output

The screen is pyte's, with a layer of pixels above it: `pixels` says which picture covers which cell (sixel pixels go
when text is drawn there, kitty placements when they are deleted). Questions (DA1, cursor position, DECRQM 2026, cell size, kitty) are answered as told; the default
is a plain xterm that knows none of the extras. Reading happens in the caller's thread: nothing is
drained unless a method runs, which is how a stalled link is made.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pyte

_QUESTIONS = re.compile(
    rb"\x1b\[c|\x1b\[0c|\x1b\[6n|\x1b\[\?2026\$p|\x1b\[16t|\x1b\[\?1;1;0S|\x1b_G[^\x1b]*a=q[^\x1b]*\x1b\\"
)
_GRAPHICS = re.compile(rb"(\x1b_G[^\x1b]*\x1b\\|\x1bP[^\x1b]*\x1b\\)")
# What pyte does not know and would print: private questions, links, keyboard modes.
_STRIP = re.compile(
    rb"\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)"
    rb"|\x1b\[\?\d+\$p|\x1b\[[><=]\d*u|\x1b\[\?\d;\d;0S|\x1b\[16t"
)
_PARTIAL = re.compile(rb"\x1b(?:[_P\]][^\x1b]*\x1b?|\[[?>=<]?[\d;$]*)?\Z")


@dataclass(frozen=True, slots=True)
class Answers:
    """What this terminal says of itself; None = silence."""

    attributes: str | None = "?62;22"
    """DA1, without the final c."""
    sync: int | None = None
    """DECRQM 2026: 1 set, 2 reset."""
    cell_px: tuple[int, int] | None = None
    kitty: str | None = None
    """`OK` where kitty graphics are known."""
    registers: int | None = None
    reports_cursor: bool = True


class PixelScreen(pyte.Screen):
    """A pyte screen that knows which cells a picture covers."""

    def __init__(self, columns: int, rows: int) -> None:
        self.sixel: dict[tuple[int, int], str] = {}
        self.kitty: dict[int, tuple[set[tuple[int, int]], str]] = {}
        super().__init__(columns, rows)

    def draw(self, data: str) -> None:
        for character in data:
            self.sixel.pop((min(self.cursor.x, self.columns - 1), self.cursor.y), None)
            super().draw(character)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        super().erase_in_display(how, *args, **kwargs)
        if how >= 2:
            self.sixel.clear()

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        super().resize(lines, columns)
        inside = {
            place: text
            for place, text in self.sixel.items()
            if place[0] < self.columns and place[1] < self.lines
        }
        self.sixel = inside

    def graphics(self, sequence: bytes, cell_px: tuple[int, int]) -> None:
        """A DCS (sixel with raster attributes) or a kitty command at the cursor."""
        x, y = self.cursor.x, self.cursor.y
        text = sequence.decode("latin-1")
        if text.startswith("\x1bP"):
            if (size := re.search(r'"\d+;\d+;(\d+);(\d+)', text)) is None:
                return
            columns, rows = -(-int(size[1]) // cell_px[0]), -(-int(size[2]) // cell_px[1])
            for row in range(rows):
                for column in range(columns):
                    self.sixel[(x + column, y + row)] = text
            return
        keys = dict(pair.split("=", 1) for pair in text[3:-2].partition(";")[0].split(",") if "=" in pair)
        image_id = int(keys.get("i", 0))
        if keys.get("a") == "T":
            size = int(keys["c"]), int(keys["r"])
            cells = {(x + column, y + row) for column in range(size[0]) for row in range(size[1])}
            self.kitty[image_id] = (cells, text)
        elif keys.get("a") == "d":
            self.kitty.pop(image_id, None)


class PtyConsole:
    """One program on one pseudo-terminal."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | None] | None = None,
        columns: int = 80,
        rows: int = 24,
        pixels: tuple[int, int] = (0, 0),
        answers: Answers | None = None,
        cwd: str | None = None,
    ) -> None:
        self.answers = answers or Answers()
        self.columns, self.rows = columns, rows
        self.screen = PixelScreen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        """All that came, unchanged."""
        self.bytes_out = 0
        self.started = time.monotonic()
        self.first_output_s: float | None = None
        self.cursor_questions = 0
        self._undecoded = b""
        self.exit_code: int | None = None
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
        for name in (
            "NO_COLOR",
            "SSH_CONNECTION",
            "SSH_TTY",
            "SSH_CLIENT",
            "TMUX",
            "STY",
            "COLUMNS",
            "LINES",
        ):
            environment.pop(name, None)  # the last two fix Textual's size; readline sets them in test workers
        for name, value in (env or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                _set_size(0, columns, rows, pixels)
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(argv[0], list(argv), environment)
            finally:
                os._exit(127)
        os.set_blocking(self.fd, False)

    def __enter__(self) -> PtyConsole:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    # -- input and output --------------------------------------------------------------------------------

    def send(self, keys: str | bytes) -> None:
        """Type."""
        os.write(self.fd, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, columns: int, rows: int, pixels: tuple[int, int] = (0, 0)) -> None:
        """Another window size."""
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        _set_size(self.fd, columns, rows, pixels)
        os.kill(self.pid, signal.SIGWINCH)

    def pump(self, timeout_s: float = 0.02) -> bool:
        """Read once and show it; True when something came. False also when the program is gone."""
        data = self.read(timeout_s)
        if data:
            self.show(data)
        return bool(data)

    def read(self, timeout_s: float) -> bytes:
        """Read once and answer questions, without showing it: `show` it later. Empty when nothing came."""
        readable, _, _ = select.select([self.fd], [], [], timeout_s)
        if not readable:
            return b""
        try:
            data = os.read(self.fd, self._most_bytes())
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            return b""
        if self.first_output_s is None:
            self.first_output_s = time.monotonic() - self.started
        self.bytes_out += len(data)
        self.output += data
        self._answer(data)
        return data

    def _most_bytes(self) -> int:
        """Read at once."""
        return 65_536

    def show(self, data: bytes) -> None:
        """Put what was read on the screen."""
        data = self._undecoded + data
        self._undecoded = b""
        if (partial := _PARTIAL.search(data)) is not None and len(partial[0]) < 1_000_000:
            self._undecoded = partial[0]
            data = data[: partial.start()]
        for piece in _GRAPHICS.split(data):
            if piece.startswith((b"\x1bP", b"\x1b_G")):
                self.screen.graphics(piece, self.answers.cell_px or (10, 20))
            elif piece:
                self._stream.feed(_STRIP.sub(b"", piece))

    def _answer(self, data: bytes) -> None:
        answers = self.answers
        for question in _QUESTIONS.findall(data):
            if question in (b"\x1b[c", b"\x1b[0c") and answers.attributes is not None:
                self.send(f"\x1b[{answers.attributes}c")
            elif question == b"\x1b[6n":
                self.cursor_questions += 1
                if answers.reports_cursor:
                    self.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
            elif question == b"\x1b[?2026$p" and answers.sync is not None:
                self.send(f"\x1b[?2026;{answers.sync}$y")
            elif question == b"\x1b[16t" and answers.cell_px is not None:
                self.send(f"\x1b[6;{answers.cell_px[1]};{answers.cell_px[0]}t")
            elif question == b"\x1b[?1;1;0S" and answers.registers is not None:
                self.send(f"\x1b[?1;0;{answers.registers}S")
            elif question.startswith(b"\x1b_G") and answers.kitty is not None:
                self.send(f"\x1b_Gi=31;{answers.kitty}\x1b\\")

    def settle(self, quiet_s: float = 0.3, timeout_s: float = 10.0) -> int:
        """Read until nothing came for `quiet_s`; how many bytes came."""
        before = self.bytes_out
        end = time.monotonic() + timeout_s
        last = time.monotonic()
        while time.monotonic() < end and time.monotonic() - last < quiet_s:
            if self.pump(0.02):
                last = time.monotonic()
        return self.bytes_out - before

    def until(self, condition: Callable[[], bool], what: str = "", timeout_s: float = 20.0) -> None:
        """Read until the condition holds; the AssertionError shows the screen."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout_s} s in vain {what}; the screen:\n{self.text}")
            self.pump(0.02)

    def wait_for(self, text: str, timeout_s: float = 20.0) -> float:
        """Read until the text stands on the screen; seconds since the start. AssertionError shows the screen."""
        end = time.monotonic() + timeout_s
        while text not in self.text:
            if time.monotonic() > end:
                raise AssertionError(
                    f"{text!r} did not appear within {timeout_s} s; the screen:\n{self.text}"
                )
            self.pump(0.05)
        return time.monotonic() - self.started

    def wait_output(self, data: bytes, timeout_s: float = 20.0) -> None:
        """Read until these bytes came."""
        end = time.monotonic() + timeout_s
        while data not in self.output:
            if time.monotonic() > end:
                raise AssertionError(f"{data!r} did not come within {timeout_s} s; the screen:\n{self.text}")
            self.pump(0.05)

    # -- the screen --------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join(self.screen.display)

    def line(self, row: int) -> str:
        """One row."""
        return str(self.screen.display[row])

    def cell(self, x: int, y: int) -> tuple[Any, ...]:
        """Character, colours and attributes of a cell, comparable."""
        cell = self.screen.buffer[y][x]
        return (
            cell.data,
            cell.fg,
            cell.bg,
            cell.bold,
            cell.italics,
            cell.underscore,
            cell.strikethrough,
            cell.reverse,
        )

    def cells(self) -> list[list[tuple[Any, ...]]]:
        """All cells."""
        return [[self.cell(x, y) for x in range(self.columns)] for y in range(self.rows)]

    @property
    def pixels(self) -> dict[tuple[int, int], str]:
        """(x, y) of cells that a picture covers, and its sequence."""
        covered = dict(self.screen.sixel)
        for cells, text in self.screen.kitty.values():
            covered.update(dict.fromkeys(cells, text))
        return covered

    # -- end ---------------------------------------------------------------------------------------------

    def wait_exit(self, timeout_s: float = 10.0) -> int:
        """Exit code, once it ended by itself."""
        end = time.monotonic() + timeout_s
        while self.exit_code is None:
            self.pump(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
                while self.pump(0.02):
                    pass
            elif time.monotonic() > end:
                raise AssertionError(f"still running after {timeout_s} s; the screen:\n{self.text}")
        return self.exit_code

    def close(self) -> None:
        """End the program, hard if it must be."""
        if self.exit_code is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                _, status = os.waitpid(self.pid, 0)
                self.exit_code = os.waitstatus_to_exitcode(status)
            except (ProcessLookupError, ChildProcessError):
                self.exit_code = -1
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _set_size(fd: int, columns: int, rows: int, pixels: tuple[int, int]) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, *pixels))
