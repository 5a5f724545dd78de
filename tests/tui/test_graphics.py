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
from tui.cell_screen import CellScreen
from tui.graphics import ACKNOWLEDGE, PictureOutput
from widgets.picture import PICTURE_META, TerminalPicture

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


def test_one_picture_is_on_its_way_at_a_time_and_keys_are_answered_meanwhile() -> None:
    with start("sixel", reports_cursor=False) as console:
        console.send("f")
        console.settle(0.5)
        console.send("k")
        console.wait_for("echo 1", 2)
        console.wait_for("flooded", 10)
        console.settle()
        # 80 pictures were made; without an answer only one was sent (and one more after each timeout).
        assert 1 <= console.output.count(b"\x1bP") <= 2


def test_pictures_replaced_while_they_waited_are_never_sent() -> None:
    with start("sixel") as console:
        console.send("f")
        console.wait_for("flooded", 10)
        console.settle(0.5)
        numbers = [int(number) for number in re.findall(rb"\x1bP[^#]*#(\d+)", bytes(console.output))]
        assert numbers == sorted(numbers)
        assert max(numbers) == 40, "the newest is shown at last"
        assert console.cursor_questions == len(numbers), "each is acknowledged"


# -- without a terminal ----------------------------------------------------------------------------------


class Surface:
    """A place of 4 x 2 cells at (2, 1)."""

    def __init__(self, surface_id: int, region: Region) -> None:
        self.surface_id = surface_id
        self.region = region
        self.picture: TerminalPicture | None = None

    def terminal_picture(self) -> tuple[TerminalPicture, Region] | None:
        return (self.picture, self.region) if self.picture is not None else None


def cells_with(surface: Surface) -> CellScreen:
    cells = CellScreen(20, 5, ColorSystem.EIGHT_BIT)
    keep = Style(meta={PICTURE_META: surface.surface_id})
    for y in range(surface.region.y, surface.region.bottom):
        cells.put(surface.region.x, y, Strip([Segment(" " * surface.region.width, keep)]))
    cells.flush()
    return cells


def test_the_line_is_kept_free_as_long_as_the_last_picture_took() -> None:
    now = 100.0
    wishes: list[float] = []
    output = PictureOutput(wishes.append, monotonic=lambda: now)
    surface = Surface(7, Region(2, 1, 4, 2))
    cells = cells_with(surface)
    output.register(surface)
    surface.picture = TerminalPicture("sixel", 4, 2, b"\x1bPq#1\x1b\\")
    assert output.next_picture(cells) == f"\x1b7\x1b[2;3H\x1bPq#1\x1b\\\x1b8{ACKNOWLEDGE}"
    surface.picture = TerminalPicture("sixel", 4, 2, b"\x1bPq#2\x1b\\")
    assert output.next_picture(cells) == ""
    now += 0.4
    output.acknowledge()
    assert wishes[-1] == pytest.approx(0.4)
    assert output.next_picture(cells) == "", "keys have the line now"
    now += 0.41
    assert "#2" in output.next_picture(cells)


def test_a_frame_that_comes_too_early_for_the_next_picture_asks_for_another() -> None:
    now = 100.0
    wishes: list[float] = []
    output = PictureOutput(wishes.append, monotonic=lambda: now)
    surface = Surface(7, Region(2, 1, 4, 2))
    cells = cells_with(surface)
    output.register(surface)
    surface.picture = TerminalPicture("sixel", 4, 2, b"\x1bPq#1\x1b\\")
    assert output.next_picture(cells)
    surface.picture = TerminalPicture("sixel", 4, 2, b"\x1bPq#2\x1b\\")
    now += 1.0
    assert output.next_picture(cells) == ""
    assert wishes[-1] == pytest.approx(4.0), "in case the answer is lost"
    output.acknowledge()
    now += 0.3  # a frame for a key
    assert output.next_picture(cells) == ""
    assert wishes[-1] == pytest.approx(0.7), "the end of the pause"


def test_a_picture_is_not_sent_where_something_stands_in_front() -> None:
    output = PictureOutput(lambda delay: None)
    surface = Surface(7, Region(2, 1, 4, 2))
    cells = cells_with(surface)
    output.register(surface)
    surface.picture = TerminalPicture("sixel", 4, 2, b"\x1bPq\x1b\\")
    cells.put(3, 1, Strip([Segment("x")]))
    cells.flush()
    assert output.next_picture(cells) == ""


def test_cells_sent_again_below_a_sixel_bring_it_back() -> None:
    now = 0.0
    output = PictureOutput(lambda delay: None, monotonic=lambda: now)
    surface = Surface(7, Region(2, 1, 4, 2))
    cells = cells_with(surface)
    output.register(surface)
    surface.picture = TerminalPicture("sixel", 4, 2, b"\x1bPq\x1b\\")
    assert output.next_picture(cells)
    output.acknowledge()
    assert cells.flush() + output.next_picture(cells) == ""
    keep = Style(bgcolor="red", meta={PICTURE_META: 7})
    cells.put(2, 1, Strip([Segment("    ", keep)]))
    assert cells.flush()
    assert output.next_picture(cells)
