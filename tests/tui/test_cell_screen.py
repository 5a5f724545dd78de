"""The model of the screen alone: whatever is put, a terminal that reads what is flushed shows it."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.cell_screen import CellScreen

WIDTH, HEIGHT = 24, 4
STYLES = [
    None,
    Style.parse("bold red on blue"),
    Style.parse("#102030 on #405060"),
    Style.parse("underline"),
    Style.parse("reverse bright_green"),
    Style.parse("default on color(200)"),
]


class Terminal:
    """A pyte screen that reads what is flushed."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def look(self) -> list[list[tuple[object, ...]]]:
        rows = []
        for y in range(HEIGHT):
            cells = [self.screen.buffer[y][x] for x in range(WIDTH)]
            rows.append(
                [(cell.data, cell.fg, cell.bg, cell.bold, cell.underscore, cell.reverse) for cell in cells]
            )
        return rows


def rendered(steps: list[tuple[int, int, list[tuple[str, int]]]], *, is_flushed_each_time: bool) -> Terminal:
    cells = CellScreen(WIDTH, HEIGHT, ColorSystem.TRUECOLOR)
    terminal = Terminal()
    for x, y, pieces in steps:
        cells.put(x, y, Strip([Segment(text, STYLES[style]) for text, style in pieces]))
        if is_flushed_each_time:
            terminal.stream.feed(cells.flush())
    terminal.stream.feed(cells.flush())
    return terminal


# Whole rows, as the compositor paints them: halves of wide characters are never left standing there.
pieces = st.lists(
    st.tuples(st.text("ab 关é█", min_size=1, max_size=4), st.integers(0, len(STYLES) - 1)), max_size=4
)


def whole_row(parts: list[tuple[str, int]]) -> list[tuple[str, int]]:
    from rich.cells import cell_len

    used = sum(cell_len(text) for text, _ in parts)
    while used > WIDTH:
        used -= cell_len(parts.pop()[0])
    return [*parts, (" " * (WIDTH - used), 0)]


@given(st.lists(st.tuples(st.just(0), st.integers(0, HEIGHT - 1), pieces.map(whole_row)), max_size=12))
def test_many_small_frames_end_in_the_same_screen_as_one(
    steps: list[tuple[int, int, list[tuple[str, int]]]],
) -> None:
    one = rendered(steps, is_flushed_each_time=False)
    many = rendered(steps, is_flushed_each_time=True)
    assert one.look() == many.look()


def screen() -> CellScreen:
    return blank(CellScreen(WIDTH, HEIGHT, ColorSystem.STANDARD))


def blank(cells: CellScreen) -> CellScreen:
    """As after the first frame: every cell is known to the terminal."""
    cells.forget()
    cells.flush()
    return cells


def test_nothing_is_sent_for_what_is_there_already() -> None:
    cells = screen()
    cells.put(0, 0, Strip([Segment("hello", STYLES[1])]))
    assert cells.flush() == "\x1b[1H\x1b[0;1;31;44mhello\x1b[0m"
    cells.put(0, 0, Strip([Segment("hello", Style.parse("bold red on blue"))]))
    assert cells.flush() == ""


def test_small_gaps_are_bridged_and_large_ones_jumped() -> None:
    cells = screen()
    cells.put(2, 1, Strip([Segment("x...x..........x")]))
    cells.flush()
    cells.put(2, 1, Strip([Segment("y...y..........y")]))
    assert cells.flush() == "\x1b[2;3Hy...y\x1b[10Cy"


def test_half_a_wide_character_is_never_sent() -> None:
    cells = screen()
    cells.put(0, 0, Strip([Segment("关a")]))
    cells.flush()
    cells.forget(Region(1, 0, 1, 1))
    assert cells.flush() == "\x1b[1H关"


def test_forgotten_cells_are_sent_again_and_no_others() -> None:
    cells = screen()
    cells.put(0, 0, Strip([Segment("abcdef")]))
    cells.flush()
    cells.forget(Region(2, 0, 2, 1))
    assert cells.flush() == "\x1b[1;3Hcd"
    assert [(span.row, span.start, span.end) for span in cells.sent_spans] == [(0, 2, 4)]


@pytest.mark.parametrize(("has_bright", "codes"), [(True, "91;102"), (False, "31;42")])
def test_terminals_with_eight_colours_get_no_bright_ones(has_bright: bool, codes: str) -> None:
    cells = blank(CellScreen(WIDTH, HEIGHT, ColorSystem.STANDARD, has_bright_colors=has_bright))
    cells.put(0, 0, Strip([Segment("x", Style.parse("bright_red on bright_green"))]))
    assert cells.flush() == f"\x1b[1H\x1b[{codes}mx\x1b[0m"


def test_escape_sequences_in_text_never_reach_the_terminal() -> None:
    cells = screen()
    cells.put(0, 0, Strip([Segment("a\x1b]0;title\x07\x9b2Jb")]))
    assert "\x1b]" not in cells.flush()


def test_control_segments_pass_and_their_row_is_no_longer_known() -> None:
    cells = screen()
    cells.put(3, 1, Strip([Segment("\x1bPq\x1b\\", None, [(1,)])], 0))  # type: ignore[list-item]
    assert cells.flush() == "\x1b[2;4H\x1bPq\x1b\\"
    cells.put(0, 1, Strip([Segment(" ")]))
    cells.forget(Region(0, 1, 1, 1))
    assert cells.flush().startswith("\x1b[2H")


def test_strips_beyond_the_edges_are_cut() -> None:
    cells = screen()
    cells.put(-2, 0, Strip([Segment("abcd")]))
    cells.put(WIDTH - 2, 1, Strip([Segment("abcd")]))
    cells.put(0, HEIGHT, Strip([Segment("abcd")]))
    cells.put(0, -1, Strip([Segment("abcd")]))
    assert cells.text(0).startswith("cd ")
    assert cells.text(1).endswith(" ab")
    terminal = Terminal()
    terminal.stream.feed(cells.flush())
    assert terminal.screen.display[1].endswith("ab")
