"""The map of the bays, cell by cell: lamps of every pattern in every depth of colour, blinking, moving, small screens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from textual.geometry import Region

from engine.wire_chassis import TRAY_TABLE, TrayPattern
from tests.widgets.gallery import Gallery, lines_of
from tui.cell_screen import CellScreen, _pen
from widgets.bay_map import BayMap
from widgets.blink import Rate
from widgets.drive_bay import HEIGHTS, BayFace, box_height, face_row, lamp_cells
from widgets.glyphs import ASCII, CP437, UNICODE, Glyphs

EIGHT = ((4, 5, 6, 7), (0, 1, 2, 3))
SIXTEEN = ((12, 13, 14, 15), (8, 9, 10, 11), *EIGHT)


def face_of(pattern: TrayPattern, number: int = 0, **changes: object) -> BayFace:
    led = TRAY_TABLE[pattern]
    rates: dict[str, object] = {"green": str(led.green), "amber": str(led.amber)}
    return BayFace(number, str(pattern), **{**rates, **changes})  # type: ignore[arg-type]


def all_lit(rate: Rate) -> bool:
    return rate != "off"


def dark_half(rate: Rate) -> bool:
    return rate == "steady"


# Each pattern: what stands in the two cells while blinking lamps are lit, and in their dark half.
@pytest.mark.parametrize("glyphs", [UNICODE, CP437, ASCII], ids=lambda glyphs: glyphs.name)
@pytest.mark.parametrize(
    ("pattern", "lit", "dark"),
    [
        (TrayPattern.EMPTY, "..", ".."),
        (TrayPattern.IDLE, "*.", "*."),
        (TrayPattern.ACTIVE, "*.", ".."),
        (TrayPattern.LOCATE, ".*", ".."),
        (TrayPattern.FAIL, ".*", ".*"),
        (TrayPattern.REBUILD, ".*", ".."),
    ],
)
def test_each_pattern_has_its_two_lamps(pattern: TrayPattern, lit: str, dark: str, glyphs: Glyphs) -> None:
    cells = lamp_cells(11, 6)
    for is_lit, wanted in ((all_lit, lit), (dark_half, dark)):
        line = "".join(text for text, _ in face_row(face_of(pattern), 1, 11, 6, glyphs, is_lit))
        shown = "".join(line[x] for x, _ in cells)
        assert shown == wanted.replace("*", glyphs.lamp_lit).replace(".", glyphs.lamp_dark)


@pytest.mark.parametrize(
    ("theme", "system", "green", "amber"),
    [
        ("watchdeck-16", ColorSystem.STANDARD, "32", "33"),
        ("watchdeck-mono", ColorSystem.STANDARD, "39", "39"),
        ("watchdeck", ColorSystem.EIGHT_BIT, "38;5;107", "38;5;179"),
        ("watchdeck", ColorSystem.TRUECOLOR, "38;2;135;175;95", "38;2;215;175;95"),
        ("watchdeck-light", ColorSystem.EIGHT_BIT, "38;5;22", "38;5;58"),
    ],
)
async def test_lamps_have_the_colours_of_the_box_as_far_as_the_terminal_goes(
    theme: str, system: ColorSystem, green: str, amber: str
) -> None:
    bay_map = BayMap()
    async with Gallery(bay_map, theme=theme).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {0: face_of(TrayPattern.IDLE)})
        await pilot.pause()
        cells = [
            (character, segment.style) for segment in bay_map.render_line(7) for character in segment.text
        ]
        pens = [_pen(style, system, True) for _, style in cells if style is not None]
        assert (cells[1][0], pens[1].foreground) == ("■", green)
        assert (cells[3][0], pens[3].foreground) == ("·", amber)


async def test_a_bay_is_drawn_with_number_group_state_size_and_progress() -> None:
    bay_map = BayMap()
    rebuilding = face_of(
        TrayPattern.REBUILD, 7, group="A", group_style=1, size="12 TB", temperature="36 C", progress=0.37
    )
    async with Gallery(bay_map, glyphs=CP437).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {7: rebuilding})
        await pilot.pause()
        assert [line[33:44] for line in lines_of(bay_map, range(6))] == [
            "┌ 7 ─── A ┐",
            "│· ■  36 C│",
            "│rebuild  │",
            "│12 TB    │",
            "│█░░░ 37 %│",
            "└─────────┘",
        ]


async def test_the_bay_in_hand_is_found_without_colour() -> None:
    bay_map = BayMap()
    async with Gallery(bay_map, glyphs=ASCII).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {})
        bay_map.selected = 5
        await pilot.pause()
        assert lines_of(bay_map, [0]) == ["+ 4 ------+# 5 ======#+ 6 ------++ 7 ------+"]


async def test_sixteen_bays_fit_beside_the_words_on_80x24() -> None:
    bay_map = BayMap()
    faces = {bay: face_of(TrayPattern.IDLE, bay, size="12 TB", temperature="36 C") for bay in range(16)}
    async with Gallery(bay_map).run_test(size=(44, 16)) as pilot:
        bay_map.styles.height = 16
        bay_map.show(SIXTEEN, faces)
        await pilot.pause()
        assert bay_map.box == (11, 4)
        assert lines_of(bay_map, [0, 1, 2, 3]) == [
            "┌ 12 ─────┐┌ 13 ─────┐┌ 14 ─────┐┌ 15 ─────┐",
            "│■ ·  36 C││■ ·  36 C││■ ·  36 C││■ ·  36 C│",
            "│idle     ││idle     ││idle     ││idle     │",
            "└ 12 TB ──┘└ 12 TB ──┘└ 12 TB ──┘└ 12 TB ──┘",
        ]


# -- blinking --------------------------------------------------------------------------------------------


async def test_blinking_draws_the_cells_of_the_lamps_and_nothing_else() -> None:
    bay_map = BayMap()
    faces = {bay: face_of(TrayPattern.ACTIVE if bay < 4 else TrayPattern.LOCATE, bay) for bay in range(8)}
    async with Gallery(bay_map).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, faces)
        await pilot.pause()
        lit = lines_of(bay_map, range(12))
        bay_map.turn(dark_half, ["4hz"])
        dark = lines_of(bay_map, range(12))
    changed = {
        (x, y)
        for y, (before, after) in enumerate(zip(lit, dark, strict=True))
        for x, (one, other) in enumerate(zip(before, after, strict=True))
        if one != other
    }
    greens = {(column * 11 + 1, 7) for column in range(4)}
    ambers = {(column * 11 + 3, 1) for column in range(4)}
    assert changed == greens | ambers


async def test_eight_lamps_at_4_hz_cost_less_than_a_kilobyte_a_second() -> None:
    bay_map = BayMap()
    async with Gallery(bay_map).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {bay: face_of(TrayPattern.ACTIVE, bay) for bay in range(8)})
        await pilot.pause()
        cells = CellScreen(44, 12, ColorSystem.EIGHT_BIT)
        sizes = []
        for half in range(4):
            bay_map.turn(all_lit if half % 2 else dark_half, ["4hz"])
            for y in range(12):
                cells.put(0, y, bay_map.render_line(y))
            sizes.append(len(cells.flush().encode()))
    assert 0 < max(sizes[1:]) * 8 < 1000


async def test_other_numbers_repaint_only_the_bay_they_are_of(monkeypatch: pytest.MonkeyPatch) -> None:
    bay_map = BayMap()
    faces = {bay: face_of(TrayPattern.IDLE, bay) for bay in range(8)}
    async with Gallery(bay_map).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, faces)
        await pilot.pause()
        regions: list[Region] = []
        monkeypatch.setattr(bay_map, "refresh", lambda *some: regions.extend(some))
        bay_map.show(EIGHT, {**faces, 6: face_of(TrayPattern.FAIL, 6)})
        bay_map.show(EIGHT, {**faces, 6: face_of(TrayPattern.FAIL, 6)})
    assert regions == [Region(22, 0, 11, 6)]


# -- moving ----------------------------------------------------------------------------------------------


async def test_arrows_follow_the_front_as_it_stands_in_the_rack() -> None:
    bay_map = BayMap()
    async with Gallery(bay_map).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {})
        bay_map.focus()
        await pilot.press("up")
        assert bay_map.selected == 4
        await pilot.press("right", "right", "right", "right")
        assert bay_map.selected == 7
        await pilot.press("down", "down", "left")
        assert bay_map.selected == 2


async def test_digits_choose_a_bay_and_two_of_them_one_beyond_nine() -> None:
    bay_map = BayMap()
    async with Gallery(bay_map).run_test(size=(44, 16)) as pilot:
        bay_map.styles.height = 16
        bay_map.show(SIXTEEN, {})
        bay_map.focus()
        await pilot.press("7")
        assert bay_map.selected == 7
        await pilot.press("1")
        assert bay_map.selected == 1
        await pilot.press("2")
        assert bay_map.selected == 12
        await pilot.press("3")
        assert bay_map.selected == 3


async def test_a_bay_the_box_does_not_have_is_never_chosen() -> None:
    bay_map = BayMap()
    async with Gallery(bay_map).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {})
        bay_map.focus()
        await pilot.press("5", "9")
        assert bay_map.selected == 5


async def test_it_says_which_bay_is_in_hand() -> None:
    heard: list[int] = []

    class Listening(Gallery):
        def on_bay_map_highlighted(self, event: BayMap.Highlighted) -> None:
            heard.append(event.bay)

    bay_map = BayMap()
    async with Listening(bay_map).run_test(size=(44, 12)) as pilot:
        bay_map.show(EIGHT, {})
        bay_map.focus()
        await pilot.press("3", "3", "up")
        await pilot.pause()
    assert heard == [3, 7]


# -- every size ------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["", "online", "unconfigured bad", "\x1b[31mred", "rebuild", "大きい"])


@given(
    st.builds(
        BayFace,
        st.integers(0, 31),
        WORDS,
        size=WORDS,
        temperature=st.sampled_from(["", "7 C", "104 C!!"]),
        group=st.sampled_from(["", "A"]),
        group_style=st.integers(0, 4),
        progress=st.none() | st.floats(0, 1),
        note=WORDS,
        serial=WORDS,
        model=WORDS,
    ),
    st.integers(9, 22),
    st.sampled_from(HEIGHTS),
    st.sampled_from([UNICODE, CP437, ASCII]),
    st.booleans(),
)
def test_every_row_of_every_box_is_exactly_as_wide_as_it_should_be(
    face: BayFace, width: int, height: int, glyphs: Glyphs, is_selected: bool
) -> None:
    for row in range(height):
        parts = face_row(face, row, width, height, glyphs, all_lit, is_selected=is_selected)
        assert sum(cell_len(text) for text, _ in parts) == width
        assert "\x1b" not in "".join(text for text, _ in parts)


@given(st.integers(1, 6), st.integers(1, 60), st.integers(9, 22))
def test_the_tallest_box_that_fits_is_chosen(rows: int, room: int, width: int) -> None:
    height = box_height(rows, room, width)
    assert height in HEIGHTS
    assert rows * height <= room or height == HEIGHTS[-1]


@pytest.mark.parametrize("glyphs", [CP437, ASCII], ids=lambda glyphs: glyphs.name)
@pytest.mark.parametrize("height", HEIGHTS)
def test_the_plain_sets_use_only_characters_their_font_has(glyphs: Glyphs, height: int) -> None:
    face = face_of(TrayPattern.REBUILD, 3, group="A", progress=0.5, size="12 TB", serial="S", model="M")
    for is_selected in (False, True):
        for row in range(height):
            parts = face_row(face, row, 16, height, glyphs, all_lit, is_selected=is_selected)
            "".join(text for text, _ in parts).encode("cp437" if glyphs is CP437 else "ascii")
