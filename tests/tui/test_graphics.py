"""Terminal pictures: where they stand, when they go, and that nothing waits behind them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tests.pty_console import Answers, PtyConsole
from tui.cell_screen import LONG_ROW, CellScreen
from tui.graphics import ACKNOWLEDGE, PictureOutput
from widgets.picture import CELL_PICTURE, PICTURE_META, PictureStrip, TerminalPicture

ROOT = Path(__file__).resolve().parents[2]


def start(kind: str, *, reports_cursor: bool = True) -> PtyConsole:
    console = PtyConsole(
        [sys.executable, "-m", "tests.tui.apps.pictures", kind],
        env={"TEXTUAL_ANIMATIONS": "none"},
        answers=Answers(sync=2, reports_cursor=reports_cursor),
        cwd=str(ROOT),
    )
    console.wait_for("ready")
    console.settle()
    return console


def blocks(console: PtyConsole) -> list[tuple[int, int, int]]:
    """Left, top and number of cells of each picture on the screen."""
    by_picture: dict[str, list[tuple[int, int]]] = {}
    for (x, y), text in console.pixels.items():
        by_picture.setdefault(text + str(x // (console.columns // 2)), []).append((x, y))
    return sorted(
        (min(x for x, _ in cells), min(y for _, y in cells), len(cells)) for cells in by_picture.values()
    )


@pytest.mark.parametrize("kind", ["sixel", "kitty"])
def test_pictures_stand_centred_in_their_cells_and_leave_nothing_behind(kind: str) -> None:
    with start(kind) as console:
        console.send("n")
        console.until(lambda: blocks(console) == [(10, 2, 100), (50, 2, 100)])
        console.send("m")  # a dialog: no picture may shine through or stay behind
        console.wait_for("Remove one?")
        console.until(lambda: blocks(console) == [])
        console.send("\x1b")
        console.until(lambda: blocks(console) == [(10, 2, 100), (50, 2, 100)])
        console.send("s")  # another screen
        console.until(lambda: blocks(console) == [])


@pytest.mark.parametrize("kind", ["sixel", "kitty"])
def test_a_cleared_or_removed_cell_takes_its_picture_along(kind: str) -> None:
    with start(kind) as console:
        console.send("n")
        console.settle()
        console.send("c")
        console.until(lambda: blocks(console) == [(50, 2, 100)])
        assert "switched off" in console.text
        console.send("d")
        console.until(lambda: blocks(console) == [])


def test_a_resize_moves_the_pictures_without_ghosts() -> None:
    with start("sixel") as console:
        console.send("n")
        console.settle()
        console.resize(60, 20)
        console.until(lambda: blocks(console) == [(5, 2, 100), (35, 2, 100)])


def test_leaving_takes_the_pictures_out_of_the_terminals_store() -> None:
    with start("kitty") as console:
        console.send("n")
        console.until(lambda: len(blocks(console)) == 2)
        console.send("\x11")
        assert console.wait_exit() == 0
        assert console.screen.kitty == {}
        # The store of the alternate screen is another: what is said after it was left deletes nothing there.
        assert b"\x1b_G" not in console.output[console.output.rindex(b"\x1b[?1049l") :]


def test_without_an_answer_pictures_go_by_the_clock_and_keys_are_answered_meanwhile() -> None:
    with start("sixel", reports_cursor=False) as console:
        console.send("f")
        console.settle(0.5)
        console.send("k")
        console.wait_for("echo 1", 2)
        console.wait_for("flooded", 10)
        console.until(lambda: len(blocks(console)) == 2, "both pictures, after all")
        # 80 pictures were made; those replaced while they waited were not sent.
        assert 2 <= console.output.count(b"\x1bP") <= 40


def test_pictures_replaced_while_they_waited_are_never_sent() -> None:
    with start("sixel") as console:
        console.send("f")
        console.wait_for("flooded", 10)
        console.settle(0.5)
        numbers = [int(number) for number in re.findall(rb"\x1bP[^#]*#(\d+)", bytes(console.output))]
        assert numbers == sorted(numbers)
        assert max(numbers) == 40, "the newest is shown at last"
        assert console.cursor_questions >= len(set(numbers)), "each picture is acknowledged"


# -- without a terminal ----------------------------------------------------------------------------------


class Surface:
    """A place for pictures on a screen of 20 x 5."""

    def __init__(self, surface_id: int, region: Region) -> None:
        self.surface_id = surface_id
        self.region = region
        self.picture: TerminalPicture | None = None
        self.has_cells = False
        self.times_drawn = 0

    def terminal_picture(self) -> tuple[TerminalPicture, Region] | None:
        return (self.picture, self.region) if self.picture is not None else None

    def cell_picture_region(self) -> Region | None:
        return self.region if self.has_cells else None

    def drawn(self) -> None:
        self.times_drawn += 1


class Desk:
    """An output with one terminal, that drains so many bytes a second and answers when told."""

    def __init__(self, *surfaces: Surface, columns: int = 20, rows: int = 5) -> None:
        self.now_s = 100.0
        self.wishes: list[float] = []
        self.output = PictureOutput(self.wishes.append, monotonic=lambda: self.now_s)
        self.cells = CellScreen(columns, rows, ColorSystem.EIGHT_BIT)
        self.cells.paces_pictures = True
        self.cells.forget()
        for surface in surfaces:
            self.output.register(surface)
            if not surface.has_cells:
                self.fill(surface.region, Style(meta={PICTURE_META: surface.surface_id}))
        self.frame()
        self.drain(0.1)

    def fill(self, region: Region, style: Style, text: str = " ") -> None:
        for y in range(region.y, region.bottom):
            self.cells.put(region.x, y, Strip([Segment(text * region.width, style)]))

    def frame(self) -> str:
        """One frame, as the app makes it."""
        erased = self.output.erase_stale(self.cells)
        cells = self.cells.flush()
        text = erased + cells
        text += self.output.next_slice(self.cells, len(text.encode()))
        self.output.written(len(text.encode()), self.cells)
        return text

    def drain(self, after_s: float = 0.0) -> None:
        """The terminal answers all it was asked."""
        self.now_s += after_s
        while self.output.is_waiting:
            self.output.acknowledge()

    def measured(self, bytes_s: float) -> Desk:
        """A link of this speed, known."""
        pace = self.output.pace
        pace.written(4, self.now_s, is_asked=True)
        pace.answered(self.now_s + 0.001)
        pace.bytes_s = bytes_s
        self.now_s += 1.0
        return self


def sixel(number: int, size: int = 0) -> TerminalPicture:
    return TerminalPicture("sixel", 4, 2, f"\x1bPq#{number}{'~' * size}\x1b\\".encode())


def strips(number: int, rows: int, size: int) -> TerminalPicture:
    parts = tuple(
        PictureStrip(row, 1, f"\x1bPq#{number}.{row}.{'~' * size}\x1b\\".encode()) for row in range(rows)
    )
    return TerminalPicture("sixel", 4, rows, b"", strips=parts)


def sent_strips(text: str) -> list[str]:
    return re.findall(r"\x1bPq#(\d+\.\d+)\.", text)


def test_the_first_picture_waits_until_the_line_was_measured() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface)
    surface.picture = sixel(1)
    assert desk.frame() == ACKNOWLEDGE
    assert desk.frame() == ""
    desk.drain(0.01)
    assert desk.frame() == f"\x1b7\x1b[2;3H\x1bPq#1\x1b\\\x1b8{ACKNOWLEDGE}"


def test_the_next_picture_waits_for_the_line_and_then_is_the_newest() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(10_000)
    surface.picture = sixel(1, 2_000)
    assert "#1~" in desk.frame()
    surface.picture = sixel(2)
    assert desk.frame() == ""
    assert desk.wishes[-1] > 0.1, "one second or a lost answer away"
    surface.picture = sixel(3)
    desk.drain(0.2)
    assert "#3" in desk.frame()


def test_strips_are_sent_as_the_line_drains_and_the_surface_is_told_at_the_end() -> None:
    surface = Surface(7, Region(2, 0, 4, 4))
    desk = Desk(surface).measured(10_000)  # 400 bytes ahead of a key
    surface.picture = strips(1, 4, 150)
    desk.output.painted(surface)
    sent = []
    for _ in range(4):
        text = desk.frame()
        sent.append(sent_strips(text))
        assert text.startswith("\x1b7\x1b[") or not text
        assert surface.times_drawn == (len(sum(sent, [])) == 4)
        desk.drain(0.04)
    assert sum(sent, []) == ["1.0", "1.1", "1.2", "1.3"]
    assert max(map(len, sent)) == 2, "two at a time"
    fast = Desk(surface).measured(10_000_000)
    assert len(sent_strips(fast.frame())) == 4, "and all at once where the line is fast"


def test_only_the_strips_that_were_written_over_come_again() -> None:
    surface = Surface(7, Region(2, 0, 4, 4))
    desk = Desk(surface).measured(1_000_000)
    surface.picture = strips(1, 4, 10)
    desk.frame()
    desk.drain(0.01)
    desk.cells.put(2, 2, Strip([Segment("    ", Style(bgcolor="red", meta={PICTURE_META: 7}))]))
    assert sent_strips(desk.frame()) == ["1.2"]


def test_parts_of_a_strip_stand_beside_each_other_and_only_those_written_over_come_again() -> None:
    surface = Surface(7, Region(2, 0, 4, 1))
    desk = Desk(surface).measured(1_000_000)
    parts = tuple(PictureStrip(0, 1, f"\x1bPq#1.{column}.~\x1b\\".encode(), column, 2) for column in (0, 2))
    surface.picture = TerminalPicture("sixel", 4, 1, b"", strips=parts)
    assert "\x1b[1;3H\x1bPq#1.0.~\x1b\\\x1b[1;5H\x1bPq#1.2.~" in desk.frame()
    desk.drain(0.01)
    desk.cells.put(4, 0, Strip([Segment(" ", Style(bgcolor="red", meta={PICTURE_META: 7}))]))
    assert sent_strips(desk.frame()) == ["1.2"]


def test_a_picture_is_completed_before_another_surface_has_its_turn() -> None:
    one, other = Surface(7, Region(0, 0, 4, 4)), Surface(8, Region(6, 0, 4, 4))
    desk = Desk(one, other).measured(10_000)
    one.picture, other.picture = strips(1, 4, 300), strips(2, 4, 300)
    sent = []
    for _ in range(30):
        sent += sent_strips(desk.frame())
        desk.drain(0.05)
        if sent == ["1.0", "1.1", "1.2", "1.3"]:
            one.picture = strips(3, 4, 300)
    assert sent == [f"{picture}.{row}" for picture in (1, 2, 3) for row in range(4)]


def kitty(image_id: int, chunks: int = 3, size: int = 400) -> TerminalPicture:
    parts = []
    for number in range(chunks):
        more = int(number < chunks - 1)
        keys = f"a=T,f=100,q=2,C=1,c=4,r=2,i={image_id},p=1,m={more}" if number == 0 else f"q=2,m={more}"
        parts.append(f"\x1b_G{keys};{'A' * size}\x1b\\")
    return TerminalPicture("kitty", 4, 2, "".join(parts).encode(), image_id)


def test_kitty_chunks_are_sent_as_the_line_drains_with_the_cursor_at_the_picture() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(10_000)
    surface.picture = kitty(1)
    frames = []
    for _ in range(6):
        frames.append(desk.frame())
        desk.drain(0.05)
    frames = [frame for frame in frames if frame]
    assert len(frames) == 3
    assert all(frame.startswith("\x1b7\x1b[2;3H\x1b_G") for frame in frames)


def test_the_old_kitty_picture_goes_when_the_new_one_is_complete() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(1_000_000)
    surface.picture = kitty(14)
    desk.frame()
    desk.drain(0.05)
    desk.output.pace.bytes_s = 10_000.0
    surface.picture = kitty(15)
    frames = []
    for _ in range(6):
        frames.append(desk.frame())
        desk.drain(0.05)
    frames = [frame for frame in frames if frame]
    assert ["d=I,i=14" in frame for frame in frames] == [False, False, True]


def test_a_kitty_picture_that_is_broken_off_is_ended_and_deleted_before_anything_else() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(10_000)
    surface.picture = kitty(1)
    assert "m=1" in desk.frame()
    desk.fill(Region(0, 0, 20, 5), Style(), "x")  # a dialog
    text = desk.frame()
    assert text.startswith("\x1b_Gq=2,m=0;\x1b\\\x1b_Ga=d,d=I,i=1,q=2\x1b\\")
    assert "xxxx" in text


def test_a_kitty_picture_on_its_way_is_ended_when_the_screen_is_cleared() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(10_000)
    surface.picture = kitty(1)
    assert "m=1" in desk.frame()
    desk.output.forget()
    desk.cells.forget()
    text = desk.frame()
    assert text.startswith("\x1b_Gq=2,m=0;\x1b\\"), "or the next picture would be taken for the rest of it"
    desk.drain(0.1)
    assert "a=T" in text + desk.frame()
    assert "m=0;\x1b" not in desk.frame()[:20]


def test_a_kitty_picture_replaced_on_its_way_is_ended_and_deleted_before_the_next_begins() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(1_000_000)
    surface.picture = kitty(1)
    desk.frame()
    desk.drain(0.05)
    desk.output.pace.bytes_s = 10_000.0
    surface.picture = kitty(2)
    assert "i=2" in desk.frame()
    surface.picture = kitty(3)
    frames = []
    for _ in range(6):
        desk.drain(0.1)
        frames.append(desk.frame())
    text = "".join(frames)
    assert text.index("\x1b_Gq=2,m=0;\x1b\\") < text.index("d=I,i=2") < text.index("a=T")
    assert text.index("a=T") < text.index("d=I,i=1"), "the whole one stands until the new one does"


def test_another_kitty_picture_that_must_go_breaks_off_the_one_on_its_way_which_then_begins_anew() -> None:
    one, other = Surface(7, Region(0, 0, 4, 2)), Surface(8, Region(6, 0, 4, 2))
    desk = Desk(one, other).measured(1_000_000)
    other.picture = kitty(2)
    desk.frame()
    desk.drain(0.05)
    desk.output.pace.bytes_s = 10_000.0
    one.picture = kitty(1)
    assert "i=1" in desk.frame()
    other.picture = None
    text = desk.frame()
    assert text.index("\x1b_Gq=2,m=0;\x1b\\") < text.index("d=I,i=2")
    desk.drain(0.1)
    assert "a=T" in desk.frame()


def test_a_picture_is_not_sent_where_something_stands_in_front() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(1_000_000)
    surface.picture = sixel(1)
    desk.cells.put(3, 1, Strip([Segment("x")]))
    assert "#1" not in desk.frame()


def test_cells_sent_again_below_a_sixel_bring_it_back() -> None:
    surface = Surface(7, Region(2, 1, 4, 2))
    desk = Desk(surface).measured(1_000_000)
    surface.picture = sixel(1)
    assert "#1" in desk.frame()
    desk.drain(0.01)
    assert desk.frame() == ""
    desk.cells.put(2, 1, Strip([Segment("    ", Style(bgcolor="red", meta={PICTURE_META: 7}))]))
    assert "#1" in desk.frame()


# -- pictures made of characters -------------------------------------------------------------------------


def cell_rows(surface: Surface, number: int) -> list[Strip]:
    """Every cell another colour: as many bytes as there can be."""
    region = surface.region
    return [
        Strip(
            [
                Segment(
                    str(number),
                    Style(bgcolor=f"color({16 + (x * 7 + y) % 200})", meta={PICTURE_META: CELL_PICTURE}),
                )
                for x in range(region.width)
            ]
        )
        for y in range(region.height)
    ]


def put_picture(desk: Desk, surface: Surface, number: int) -> None:
    for y, strip in enumerate(cell_rows(surface, number)):
        desk.cells.put(surface.region.x, surface.region.y + y, strip)
    desk.output.painted(surface)


def rows_sent(text: str) -> list[int]:
    return [int(row) for row in re.findall(r"\x1b\[(\d+)(?:;\d+)?H", text)]


def wide_desk(bytes_s: float) -> tuple[Desk, Surface]:
    surface = Surface(7, Region(0, 2, 60, 10))
    surface.has_cells = True
    desk = Desk(surface, columns=80, rows=24)
    put_picture(desk, surface, 0)
    return desk.measured(bytes_s), surface


def test_rows_of_a_picture_go_from_the_top_as_the_line_drains_and_keys_do_not_wait() -> None:
    desk, surface = wide_desk(25_000)  # a kilobyte ahead of a key: about a row
    rows: list[int] = []
    for step in range(20):
        if step == 3:
            desk.cells.put(0, 20, Strip([Segment("a key was pressed")]))
        text = desk.frame()
        if step == 3:
            assert "a key was pressed" in text
            text = text[text.index("pressed") :]
        rows += rows_sent(text)
        assert len(text.encode()) <= 1_000 * LONG_ROW + 200
        assert surface.times_drawn == int(
            sorted(set(rows)) == list(range(3, 13)) and not desk.cells.has_unsent_pictures()
        )
        desk.drain(len(text.encode()) / 25_000 + 0.001)
    assert surface.times_drawn == 1
    assert rows == sorted(rows)


def test_on_a_fast_line_a_picture_is_one_write() -> None:
    desk, surface = wide_desk(5_000_000)
    assert set(rows_sent(desk.frame())) >= set(range(3, 13))
    assert surface.times_drawn == 1


def test_a_dialog_over_a_picture_is_whole_at_once() -> None:
    desk, surface = wide_desk(25_000)
    desk.frame()
    desk.fill(Region(10, 4, 30, 4), Style(bgcolor="blue"), "d")
    text = desk.frame()
    assert text.count("d" * 30) == 4
    assert desk.cells.text(5)[10:40] == "d" * 30


def test_pictures_of_a_surface_that_went_are_sent_all_the_same() -> None:
    desk, surface = wide_desk(25_000)
    desk.output.unregister(surface)
    desk.frame()
    assert not desk.cells.has_unsent_pictures()


@pytest.mark.parametrize(
    ("bytes_s", "rows"), [(20_000, 1), (125_000, 1), (500_000, 3), (5_000_000, 24), (50_000_000, 0)]
)
def test_strips_are_as_high_as_the_line_drains_in_half_of_what_a_key_may_wait(
    bytes_s: float, rows: int
) -> None:
    desk = Desk(Surface(7, Region(2, 1, 4, 2))).measured(bytes_s)
    assert desk.output.strip_rows(40) == rows
