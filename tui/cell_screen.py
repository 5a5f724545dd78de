"""The terminal's screen as cells: what should stand there, what was sent, and the shortest text between the two.

    put(x, y, strip)                     what should stand there
    flush()                              everything that differs; with `paces_pictures` all but the cells of pictures
    flush_pictures(region, most_bytes)   those, from the top of a region down, so many bytes of them
    has_unsent_pictures(region)          whether more of them wait

Pure: knows strips and escape sequences, no app and no terminal. `tui/celldiff.py` feeds it with what Textual's
compositor wants painted and writes what `flush` returns. Strips that carry control sequences (pictures of foreign
widgets) are passed on as they are, and their row is no longer taken for known. Cells of pictures made of characters
say so in their style (`CELL_PICTURE`): which of them are sent when, tui/graphics.py decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.color import ColorSystem
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from widgets.format import harmless
from widgets.picture import CELL_PICTURE, PICTURE_META

BRIDGED_CELLS: Final = 4
"""So many unchanged cells between two changes are sent again rather than jumped over (a jump costs 4 to 7 bytes)."""
LONG_ROW: Final = 1.5
"""A slice ends inside a row when it is so many times as large as it should be; else at the end of one."""
KEPT_PENS: Final = 32_768
"""Styles remembered; when there are more (pictures in cells) the memory starts anew."""


class Pen(NamedTuple):
    """What a style looks like on the wire. Equal pens are one object, so that cells compare by identity."""

    attributes: str
    """SGR parameters of bold, underline and so on."""
    foreground: str
    background: str
    link: str
    picture: int
    """Surface that this cell is kept free for, or `CELL_PICTURE`; 0 = none. Not visible."""


Cell = tuple[str, Pen]
"""Text and pen. The cells after the first of a wide character have no text."""

_PLAIN: Final = Pen("", "39", "49", "", 0)
_BLANK: Final[Cell] = (" ", _PLAIN)


@dataclass(frozen=True, slots=True)
class Span:
    """Cells [start, end) of a row that were sent."""

    row: int
    start: int
    end: int


class CellScreen:
    """State holder. Invariant: what `flush` returned must be written, in order, or `forget` called."""

    def __init__(
        self, width: int, height: int, color_system: ColorSystem, *, has_bright_colors: bool = True
    ) -> None:
        """
        Args:
            has_bright_colors: False = the terminal has eight colours (Linux console: SGR 90-97 look like 30-37 there at
                best, 100-107 are black); bright ones are sent as their plain neighbours.
        """
        self._has_bright_colors = has_bright_colors
        self.width, self.height = width, height
        self.sent_spans: list[Span] = []
        """Of the last `flush`."""
        self._color_system = color_system
        self._want: list[list[Cell]] = [[_BLANK] * width for _ in range(height)]
        self._sent: list[list[Cell | None]] = [[None] * width for _ in range(height)]
        self.paces_pictures = False
        """`flush` leaves the cells of pictures out: `flush_pictures` sends them."""
        self._dirty: set[int] = set()
        self._unsent: set[int] = set()
        """Rows in which cells of pictures may differ from what was sent."""
        self._raw: dict[tuple[int, int], str] = {}  # by place: at most one a cell, the newest counts
        self._pens: dict[Style | None, Pen] = {None: _PLAIN}
        self._equal_pens: dict[Pen, Pen] = {_PLAIN: _PLAIN}

    # -- what should stand there -------------------------------------------------------------------------

    def put(self, x: int, y: int, strip: Strip) -> None:
        """Cells of a strip, left end at (x, y); what lies outside of the screen is cut."""
        if not 0 <= y < self.height or x >= self.width:
            return
        cells: list[Cell] = []
        for text, style, control in strip:
            if control:
                if text:
                    self._raw[(x + len(cells), y)] = text
                continue
            pen = self._pens.get(style) or self._new_pen(style)
            text = harmless(text)  # whatever a widget let through, no sequence of another's making gets out
            if text.isascii():
                cells.extend([(character, pen) for character in text])
            else:
                cells.extend(_wide_cells(text, pen))
        if x < 0:
            cells, x = cells[-x:], 0
        cells = cells[: self.width - x]
        row = self._want[y]
        end = x + len(cells)
        if row[x:end] != cells:
            row[x:end] = cells
            self._dirty.add(y)

    def forget(self, region: Region | None = None) -> None:
        """These cells (None = all) may show anything by now: send them again."""
        region = self._clipped(region)
        for y in range(region.y, region.bottom):
            self._sent[y][region.x : region.right] = [None] * region.width
            self._dirty.add(y)

    def is_kept_free(self, region: Region, surface: int) -> bool:
        """Whether all of a region is reserved for a surface: nothing stands in front of it."""
        if self._clipped(region) != region or not region:
            return False
        return all(
            cell[1].picture == surface
            for row in self._want[region.y : region.bottom]
            for cell in row[region.x : region.right]
        )

    def text(self, row: int) -> str:
        """What should stand in a row, for tests and error reports."""
        return "".join(character for character, _ in self._want[row])

    def _clipped(self, region: Region | None) -> Region:
        whole = Region(0, 0, self.width, self.height)
        return whole if region is None else whole.intersection(region)

    # -- what must be sent -------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """`flush` may have something to say."""
        return bool(self._dirty or self._raw)

    def flush(self) -> str:
        """The sequences that turn what was sent into what should stand there; empty when nothing differs."""
        self.sent_spans = []
        brush = _Brush(self.width)
        for y in sorted(self._dirty):
            want, sent = self._want[y], self._sent[y]
            known = sent
            if self.paces_pictures:
                known = [
                    cell if cell[1].picture == CELL_PICTURE else before
                    for cell, before in zip(want, sent, strict=True)
                ]
                if known != sent:
                    self._unsent.add(y)
            for start, end in _changed_runs(want, known):
                brush.draw(want, start, end, y)
                sent[start:end] = want[start:end]
                self.sent_spans.append(Span(y, start, end))
        brush.put_down()
        parts = brush.parts
        for (x, y), text in self._raw.items():
            parts.append(f"\x1b[{y + 1};{x + 1}H{text}")
            self._sent[y] = [None] * self.width
        self._dirty.clear()
        self._raw.clear()
        return "".join(parts)

    def flush_pictures(self, region: Region | None, most_bytes: int) -> str:
        """Cells of pictures in a region (None = anywhere) that differ, from the top down, about so many bytes of them."""
        region = self._clipped(region)
        brush = _Brush(self.width)
        for y in sorted(self._unsent):
            if not region.y <= y < region.bottom:
                continue
            want, sent = self._want[y], self._sent[y]
            for start, end in self._picture_runs(region, y):
                stop = brush.draw(want, start, end, y, most_bytes * LONG_ROW)
                sent[start:stop] = want[start:stop]
            if region.width == self.width and not any(self._picture_runs(region, y)):
                self._unsent.discard(y)
            if brush.size_bytes >= most_bytes:
                break
        brush.put_down()
        return "".join(brush.parts)

    def has_unsent_pictures(self, region: Region | None = None) -> bool:
        """Whether cells of pictures in a region (None = anywhere) differ from what was sent."""
        region = self._clipped(region)
        return any(any(self._picture_runs(region, y)) for y in self._unsent if region.y <= y < region.bottom)

    def _picture_runs(self, region: Region, y: int) -> Iterator[tuple[int, int]]:
        """Stretches of picture cells in a row of a region that differ."""
        left = region.x
        want, sent = self._want[y][left : region.right], self._sent[y][left : region.right]
        known = [
            before if cell[1].picture == CELL_PICTURE else cell
            for cell, before in zip(want, sent, strict=True)
        ]
        for start, end in _changed_runs(want, known):
            yield left + start, left + end

    # -- pens --------------------------------------------------------------------------------------------

    def _new_pen(self, style: Style | None) -> Pen:
        if style is None:
            return _PLAIN
        if len(self._pens) > KEPT_PENS:
            # Cells keep their pens; `_equal_pens` keeps the objects unique while it lives, so both go together
            # and the next frame sends changed cells once more at worst.
            self._pens = {None: _PLAIN}
            self._equal_pens = {_PLAIN: _PLAIN}
        made = _pen(style, self._color_system, self._has_bright_colors)
        pen = self._equal_pens.setdefault(made, made)
        self._pens[style] = pen
        return pen


class _Brush:
    """Writes stretches of cells with as few movements and colour changes as there can be."""

    def __init__(self, width: int) -> None:
        self.parts: list[str] = []
        self.size_bytes = 0
        self._width = width
        self._pen: Pen = _PLAIN
        self._at: tuple[int, int] | None = None  # where the cursor is; None = not known

    def draw(self, row: list[Cell], start: int, end: int, y: int, most_bytes: float = float("inf")) -> int:
        """Cells [start, end) of a row; the end of those that were drawn until there were so many bytes."""
        if self.size_bytes >= most_bytes:
            return start
        self._add(_move(self._at, start, y))
        is_lost = False
        for index in range(start, end):
            text, pen = row[index]
            if text and self.size_bytes >= most_bytes:
                end = index
                break
            if is_lost and text:
                self._add(_move(None, index, y))
                is_lost = False
            if pen is not self._pen:
                self._add(_change_pen(self._pen, pen))
                self._pen = pen
            self._add(text)
            # Terminals disagree about how wide joined characters are: say where the next one goes.
            is_lost = is_lost or len(text) > 1
        # After the last column terminals differ in where the cursor is.
        self._at = (end, y) if end < self._width and not is_lost else None
        return end

    def put_down(self) -> None:
        """Leave the terminal with no colours and no link."""
        if self._pen is not _PLAIN:
            self._add(_change_pen(self._pen, _PLAIN) if self._pen.link else "\x1b[0m")
            self._pen = _PLAIN

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self.size_bytes += len(text) if text.isascii() else len(text.encode())


def _pen(style: Style, color_system: ColorSystem, has_bright_colors: bool) -> Pen:
    attributes: list[str] = []
    foreground, background = "39", "49"
    parameters = iter(Strip.render_ansi(style, color_system).split(";"))
    for parameter in parameters:
        if parameter in ("38", "48"):
            mode = next(parameters)
            numbers = [next(parameters) for _ in range(3 if mode == "2" else 1)]
            code = ";".join((parameter, mode, *numbers))
            foreground, background = (code, background) if parameter == "38" else (foreground, code)
        elif not parameter:
            continue
        elif 30 <= (number := int(parameter)) <= 39 or 90 <= number <= 97:
            foreground = str(number - 60) if number >= 90 and not has_bright_colors else parameter
        elif 40 <= number <= 49 or 100 <= number <= 107:
            background = str(number - 60) if number >= 100 and not has_bright_colors else parameter
        else:
            attributes.append(parameter)
    meta = style.meta
    surface = meta.get(PICTURE_META, 0) if meta else 0
    return Pen(";".join(attributes), foreground, background, style.link or "", int(surface))


def _change_pen(old: Pen, new: Pen) -> str:
    """The shortest SGR from one pen to the other; links are opened and closed around."""
    link = "" if old.link == new.link else f"\x1b]8;;{new.link}\x1b\\"
    codes: list[str] = []
    if old.attributes != new.attributes:
        # Attributes cannot be taken back one by one everywhere: start from nothing.
        codes.append("0")
        if new.attributes:
            codes.append(new.attributes)
        if new.foreground != "39":
            codes.append(new.foreground)
        if new.background != "49":
            codes.append(new.background)
    else:
        if old.foreground != new.foreground:
            codes.append(new.foreground)
        if old.background != new.background:
            codes.append(new.background)
    return link + (f"\x1b[{';'.join(codes)}m" if codes else "")


def _move(at: tuple[int, int] | None, x: int, y: int) -> str:
    """Bring the cursor to (x, y)."""
    if at is not None and at[1] == y:
        steps = x - at[0]
        if steps == 0:
            return ""
        if steps > 0:
            return f"\x1b[{steps}C" if steps > 1 else "\x1b[C"
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"


def _changed_runs(want: list[Cell], sent: list[Cell | None]) -> Iterator[tuple[int, int]]:
    """Stretches [start, end) to send: whole characters, small gaps of the same pen bridged."""
    width = len(want)
    start = end = -1
    index = 0
    while index < width:
        if want[index] == sent[index]:
            index += 1
            continue
        first = index
        while first > 0 and not want[first][0]:
            first -= 1  # the second half of a wide character: send all of it
        last = index + 1
        while last < width and not want[last][0]:
            last += 1
        if start >= 0 and (first <= end or _is_cheap_gap(want, end, first)):
            end = max(end, last)
        else:
            if start >= 0:
                yield start, end
            start, end = first, last
        index = max(last, index + 1)
    if start >= 0:
        yield start, end


def _is_cheap_gap(want: list[Cell], end: int, first: int) -> bool:
    if first - end > BRIDGED_CELLS:
        return False
    pen = want[end - 1][1]
    return all(cell[1] is pen for cell in want[end:first])


def _wide_cells(text: str, pen: Pen) -> list[Cell]:
    """Characters to cells. Where characters join (marks, emoji sequences) the whole text is one unit: terminals do not
    agree about its parts, only a rewrite from its start is safe."""
    sizes = [get_character_cell_size(character) for character in text]
    total = cell_len(text)
    if 0 in sizes or sum(sizes) != total:
        return [(text, pen), *[("", pen)] * (total - 1)] if total else []
    cells: list[Cell] = []
    for character, size in zip(text, sizes, strict=True):
        cells.append((character, pen))
        if size == 2:
            cells.append(("", pen))
    return cells
