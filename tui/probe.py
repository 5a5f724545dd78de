"""Ask the terminal what it can draw: once, before Textual reads the keyboard, in at most a second.

One batch of questions goes out, the one every terminal answers (DA1) last: its answer ends the wait, so a terminal
that knows nothing costs one round trip, and only one that does not answer at all costs the whole time. Whatever
else arrives meanwhile is thrown away, so that no answer is taken for typing later. Used by tui/profile.py only.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import termios
import time
import tty
from dataclasses import dataclass
from typing import Final

KITTY_QUESTION: Final = (
    b"\x1b7"  # a terminal that does not know the sequence may print it: what it printed is taken away
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # kitty graphics: OK or an error, or nothing
    b"\x1b8\x1b[K"
)
"""Not inside tmux and screen, which take it for the title of the window."""
QUESTIONS: Final = (
    b"\x1b[16t"  # size of a cell in pixels
    b"\x1b[?1;1;0S"  # number of sixel colour registers (XTSMGRAPHICS)
    b"\x1b[?2;4;0S"  # largest sixel picture in pixels: xterm draws nothing of a larger one
    b"\x1b[c"  # DA1: everybody answers; attribute 4 = sixel
)

_KITTY: Final = re.compile(rb"\x1b_Gi=31[^;]*;([^\x1b]*)\x1b\\")
_CELL: Final = re.compile(rb"\x1b\[6;(\d+);(\d+)t")
_REGISTERS: Final = re.compile(rb"\x1b\[\?1;0;(\d+)S")
_SIXEL_SIZE: Final = re.compile(rb"\x1b\[\?2;0;(\d+);(\d+)S")
_DA1: Final = re.compile(rb"\x1b\[\?([\d;]*)c")
_MAX_ANSWER_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """What the terminal said; the defaults are those of one that said nothing."""

    has_kitty: bool = False
    has_sixel: bool = False
    sixel_registers: int = 0
    """0 = not said."""
    sixel_width_px: int = 0
    """Largest picture; 0 = not said."""
    sixel_height_px: int = 0
    cell_width_px: int = 0
    """0 = not said."""
    cell_height_px: int = 0
    is_complete: bool = False
    """DA1 was answered."""


def parse_replies(data: bytes) -> ProbeReply:
    """Understand the answers, in any order and between any other input."""
    kitty = _KITTY.search(data)
    cell = _CELL.search(data)
    registers = _REGISTERS.search(data)
    attributes = _DA1.search(data)
    most = _SIXEL_SIZE.search(data)
    sixel_width, sixel_height = (int(most[1]), int(most[2])) if most else (0, 0)
    has_most = sixel_width >= 100 and sixel_height >= 100
    height, width = (int(cell[1]), int(cell[2])) if cell else (0, 0)
    has_cell = 2 <= width <= 200 and 2 <= height <= 200
    return ProbeReply(
        has_kitty=kitty is not None and kitty[1].startswith(b"OK"),
        has_sixel=attributes is not None and b"4" in attributes[1].split(b";")[1:],
        sixel_registers=int(registers[1]) if registers else 0,
        sixel_width_px=sixel_width if has_most else 0,
        sixel_height_px=sixel_height if has_most else 0,
        cell_width_px=width if has_cell else 0,
        cell_height_px=height if has_cell else 0,
        is_complete=attributes is not None,
    )


def window_cell_size(fd: int) -> tuple[int, int]:
    """Width and height of a cell in pixels from TIOCGWINSZ; (0, 0) when the terminal does not fill that in."""
    try:
        packed = fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return 0, 0
    rows, columns, width_px, height_px = struct.unpack("HHHH", packed)
    if not (rows and columns and width_px and height_px):
        return 0, 0
    return width_px // columns, height_px // rows


def probe(
    stdin_fd: int, stdout_fd: int, *, timeout_s: float = 1.0, asks_for_kitty: bool = True
) -> ProbeReply:
    """Ask and wait for the answers; `asks_for_kitty` not where nothing follows from it. The terminal's settings are put back and unread input is dropped."""
    try:
        before = termios.tcgetattr(stdin_fd)
    except termios.error:
        return ProbeReply()
    data = bytearray()
    try:
        tty.setcbreak(stdin_fd, termios.TCSANOW)
        os.write(stdout_fd, KITTY_QUESTION + QUESTIONS if asks_for_kitty else QUESTIONS)
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0 and len(data) < _MAX_ANSWER_BYTES:
            readable, _, _ = select.select([stdin_fd], [], [], left)
            if not readable:
                break
            chunk = os.read(stdin_fd, 1024)
            if not chunk:
                break
            data += chunk
            if _DA1.search(data):
                break
    except OSError:
        pass  # the terminal went away: what is known by now has to do
    finally:
        try:
            # TCSAFLUSH drops what was not read: typing ahead, and nothing of an answer stays behind.
            termios.tcsetattr(stdin_fd, termios.TCSAFLUSH, before)
        except termios.error:
            pass
    return parse_replies(bytes(data))
