"""Pictures in cells: drawn as given, centred, and in words where there is none."""

from __future__ import annotations

from rich.color import Color

from tests.widgets.gallery import Gallery, drawn, lines_of
from widgets.picture import CellPicture, CellRun, TerminalPicture
from widgets.video_cell import VideoCell

PICTURE = CellPicture(
    4, 2, ((CellRun("▀▀", 0xFF0000, 0x00FF00), CellRun("▀▀", -1, -1)), (CellRun("abcd", 7, 8),))
)


class Rooms(Gallery):
    """Keeps what the cells say."""

    def on_video_cell_room_changed(self, event: VideoCell.RoomChanged) -> None:
        self.heard.append((event.columns, event.rows))

    def on_video_cell_opened(self, event: VideoCell.Opened) -> None:
        self.heard.append("opened")


async def test_a_picture_is_centred_above_its_caption_in_its_own_colours() -> None:
    cell = VideoCell(caption="front door")
    app = Rooms(cell)
    async with app.run_test(size=(20, 5)) as pilot:
        cell.set_picture(PICTURE)
        cell.note = "14:03:07"
        await pilot.pause()
        assert lines_of(cell, range(5)) == ["", "        ▀▀▀▀", "        abcd", "", "front door  14:03:07"]
        half = next(segment for segment in cell.render_line(1) if segment.text == "▀▀")
        assert half.style is not None
        assert half.style.color == Color.from_rgb(255, 0, 0)
        assert half.style.bgcolor == Color.from_rgb(0, 255, 0)
        assert app.heard == [(20, 4)]


async def test_palette_pictures_use_numbers_of_the_palette() -> None:
    cell = VideoCell()
    async with Rooms(cell).run_test(size=(20, 5)) as pilot:
        cell.set_picture(CellPicture(4, 1, ((CellRun("abcd", 120, 17),),)), colors=256)
        await pilot.pause()
        segment = next(segment for segment in cell.render_line(1) if segment.text == "abcd")
        assert segment.style is not None
        assert segment.style.color is not None
        assert segment.style.color.number == 120


async def test_no_picture_is_said_in_words_with_its_reason() -> None:
    cell = VideoCell(caption="yard", reason="connecting")
    async with Rooms(cell).run_test(size=(30, 5)) as pilot:
        assert "no picture: connecting" in drawn(pilot.app)
        cell.set_picture(PICTURE)
        await pilot.pause()
        assert "no picture" not in drawn(pilot.app)
        cell.clear("camera lost since 14:03: the network is unreachable")
        await pilot.pause()
        assert [line.strip() for line in lines_of(cell, range(4))] == [
            "no picture: camera lost since",
            "14:03: the network is",
            "unreachable",
            "",
        ]
        cell.clear("fetching the picture ...")
        await pilot.pause()
        assert "fetching the picture ..." in drawn(pilot.app)
        assert "no picture" not in drawn(pilot.app)


async def test_an_old_picture_says_so_without_colour() -> None:
    cell = VideoCell(caption="a camera with a long name")
    async with Rooms(cell).run_test(size=(24, 5)) as pilot:
        cell.set_picture(PICTURE)
        cell.note = "14:03:07"
        cell.is_stale = True
        await pilot.pause()
        assert lines_of(cell, [4]) == ["a camera with a lon… OLD"]


async def test_a_picture_larger_than_the_room_is_cut_not_spilled() -> None:
    cell = VideoCell()
    async with Rooms(cell).run_test(size=(3, 2)) as pilot:
        cell.set_picture(PICTURE)
        await pilot.pause()
        assert cell.render_line(0).cell_length == 3
        assert cell.render_line(0).text == "▀▀▀"


async def test_without_a_picture_writer_terminal_pictures_are_named_in_words() -> None:
    cell = VideoCell()
    async with Rooms(cell).run_test(size=(40, 5)) as pilot:
        cell.set_picture(TerminalPicture("sixel", 40, 2, b"\x1bPq\x1b\\"))
        await pilot.pause()
        assert "sixel picture not available here" in drawn(pilot.app)


async def test_a_terminal_picture_has_a_place_only_while_all_of_it_is_in_sight() -> None:
    cell = VideoCell()
    async with Rooms(cell).run_test(size=(40, 10)) as pilot:
        cell.styles.height = 8
        await pilot.pause()
        cell.set_picture(TerminalPicture("sixel", 10, 4, b""))
        placed = cell.terminal_picture()
        assert placed is not None
        assert placed[1] == (15, 1, 10, 4)
        cell.display = False
        await pilot.pause()
        assert cell.terminal_picture() is None


async def test_the_last_row_of_the_terminal_is_never_covered() -> None:
    cell = VideoCell()
    async with Rooms(cell).run_test(size=(40, 5)) as pilot:
        cell.styles.height = 6
        await pilot.pause()
        cell.set_picture(TerminalPicture("sixel", 40, 5, b""))
        assert cell.terminal_picture() is None


async def test_click_and_enter_open() -> None:
    cell = VideoCell(can_focus=True)
    app = Rooms(cell)
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.click(VideoCell)
        cell.focus()
        await pilot.press("enter")
        assert app.heard.count("opened") == 2


class Writer:
    """A line that is as slow as the test wants."""

    has_pixels = False

    def __init__(self) -> None:
        self.painted_cells: list[VideoCell] = []

    def register(self, surface: VideoCell) -> None: ...
    def unregister(self, surface: VideoCell) -> None: ...
    def changed(self, surface: VideoCell) -> None: ...

    def painted(self, surface: VideoCell) -> None:
        self.painted_cells.append(surface)


class Follower:
    def __init__(self) -> None:
        self.times_drawn = 0

    def cell_drawn(self, cell: VideoCell) -> None:
        self.times_drawn += 1

    def cell_room_changed(self, cell: VideoCell) -> None: ...


def letters(letter: str) -> CellPicture:
    return CellPicture(4, 2, ((CellRun(letter * 4),),) * 2)


async def test_while_a_picture_is_drawn_the_newest_one_waits_and_those_between_are_dropped() -> None:
    cell = VideoCell()
    app = Rooms(cell)
    writer, follower = Writer(), Follower()
    app.picture_output = writer  # type: ignore[attr-defined]
    async with app.run_test(size=(40, 10)) as pilot:
        cell.follower = follower
        for letter in "abc":
            cell.set_picture(letters(letter))
            await pilot.pause()
        await pilot.pause(0.05)
        assert (cell.picture, cell.is_drawing) == (letters("a"), True)
        assert writer.painted_cells == [cell]
        cell.drawn()
        assert (cell.picture, cell.is_drawing, follower.times_drawn) == (letters("c"), True, 0)
        await pilot.pause(0.05)
        cell.drawn()
        assert (cell.is_drawing, follower.times_drawn) == (False, 1)
        cell.set_picture(letters("d"))
        cell.set_picture(letters("e"))
        cell.clear("switched off")
        await pilot.pause(0.05)
        cell.drawn()
        assert (cell.picture, cell.reason) == (None, "switched off"), "nothing that waited comes back"


async def test_a_fault_is_grey_and_a_picture_that_is_coming_is_not() -> None:
    cell = VideoCell()
    app = Rooms(cell)
    async with app.run_test(size=(40, 10)) as pilot:
        cell.clear("fetching the picture ...")
        await pilot.pause()
        plain = cell.render_line(0)
        cell.clear("the frame is corrupt", is_fault=True)
        await pilot.pause()
        grey, words = cell.render_line(0), cell.render_line(4)
        colors = [strip._segments[0].style.bgcolor for strip in (plain, grey, words)]  # type: ignore[union-attr]
        assert colors[0] != colors[1] == colors[2]
        assert "no picture: the frame is corrupt" in words.text
        app.theme = "ansi-dark"  # no grey of its own there
        await pilot.pause()
        assert set(cell.render_line(0).text) == {"░"}
        cell.set_picture(letters("a"))
        await pilot.pause()
        assert "░" not in cell.render_line(0).text


async def test_words_with_wide_letters_fill_their_line_and_no_more() -> None:
    cell = VideoCell(reason="nothing of camera 駐車場の北側の入口 is recorded at that time")
    async with Rooms(cell).run_test(size=(24, 6)) as pilot:
        await pilot.pause()
        lines = [cell.render_line(y) for y in range(6)]
        assert [sum(segment.cell_length for segment in line) for line in lines] == [24] * 6
        assert [line.strip() for line in lines_of(cell, range(6)) if line.strip()] == [
            "no picture: nothing of",
            "camera",
            "駐車場の北側の入口 is",
            "recorded at that time",
        ]
