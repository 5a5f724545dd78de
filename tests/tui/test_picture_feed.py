"""What a board of pictures asks for, when, in which order, and what its cells show of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot

from engine import wire
from storage.errors import PictureUnavailable
from storage.units import US_PER_SECOND
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.tui.desk_for import desk_for
from tui import picture_feed
from tui.commands import Scope
from tui.desk import Desk
from tui.picture_feed import FETCHING, PictureBoard
from tui.picture_memory import PictureMemory, size_of
from tui.picture_wish import Wish
from tui.profile import TerminalProfile
from tui.screens.view import View
from tui.themes import register_themes
from widgets.glyphs import UNICODE
from widgets.picture import CellPicture, CellRun
from widgets.video_cell import VideoCell

CELLS = 4


class Studio:
    """Answers picture requests when it is told to; counts what is under way."""

    def __init__(self) -> None:
        self.asked: list[wire.PictureRequest] = []
        self.waiting: list[tuple[wire.PictureRequest, asyncio.Future[wire.PictureReply]]] = []
        self.taken_back = 0
        self.most_waiting = 0
        self.is_prompt = False
        self.now_us = SCRIPT_NOW_US

    async def picture(self, request: wire.PictureRequest) -> wire.PictureReply:
        self.asked.append(request)
        if self.is_prompt and not request.wait_ms:
            return self.reply(request)
        future: asyncio.Future[wire.PictureReply] = asyncio.get_running_loop().create_future()
        entry = (request, future)
        self.waiting.append(entry)
        self.most_waiting = max(self.most_waiting, len(self.waiting))
        try:
            return await future
        except asyncio.CancelledError:
            self.taken_back += 1
            raise
        finally:
            self.waiting.remove(entry)

    def reply(self, request: wire.PictureRequest, *, time_us: int | None = None) -> wire.PictureReply:
        runs = tuple(
            (wire.CellRun(request.camera[-1] * request.columns, -1, -1),) for _ in range(request.rows)
        )
        cells = wire.CellPicture(columns=request.columns, rows=request.rows, lines=runs)
        return wire.PictureReply(
            camera=request.camera,
            time_us=time_us or request.at_us or self.now_us,
            format=request.format,
            width_px=1920,
            height_px=1080,
            columns=request.columns,
            rows=request.rows,
            cells=cells,
        )

    def answer(self, number: int = 0, *, time_us: int | None = None, is_unchanged: bool = False) -> None:
        request, future = self.waiting[number]
        reply = self.reply(request, time_us=time_us)
        future.set_result(
            msgspec.structs.replace(reply, is_unchanged=is_unchanged) if is_unchanged else reply
        )

    def refuse(self, number: int = 0, what: str = "the frame is corrupt") -> None:
        self.waiting[number][1].set_exception(PictureUnavailable(what))


class Cells(View):
    """Four cells side by side, fed by a board."""

    SCOPE = Scope.WALL
    DEFAULT_CSS = "Cells Horizontal { height: 1fr; } Cells VideoCell { width: 1fr; }"

    def compose(self) -> ComposeResult:
        with Horizontal():
            for number in range(CELLS):
                yield VideoCell(id=f"cell-{number}")


class BoardApp(App[None]):
    """One view."""

    glyphs = UNICODE

    def __init__(self, desk: Desk) -> None:
        register_themes()
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        yield Cells(self.desk)

    @property
    def cells(self) -> list[VideoCell]:
        return list(self.query(VideoCell))


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def app(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoardApp:
    monkeypatch.setattr(picture_feed, "LOOK_S", 0.02)
    desk = desk_for(FakeEngine(), tmp_path, TerminalProfile(colors=256, graphics="half"))
    monkeypatch.setattr(desk.connection.client, "picture", studio.picture)
    return BoardApp(desk)


def board_of(app: BoardApp, **options: object) -> PictureBoard:
    options = {"settle_s": 0.0, "live_every_s": 0.01, **options}
    return PictureBoard(app.query_one(Cells), **options)  # type: ignore[arg-type]


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(300):
        await pilot.pause()
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("waited in vain")


async def test_live_cells_wait_in_the_engine_for_something_newer(app: BoardApp, studio: Studio) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        studio.is_prompt = True
        board.show([(app.cells[0], Wish("yard"))])
        await until(pilot, lambda: len(studio.waiting) == 1)
        assert studio.waiting[0][0].newer_than_us == SCRIPT_NOW_US
        assert studio.waiting[0][0].wait_ms == picture_feed.LONG_WAIT_MS
        shown = app.cells[0].picture
        studio.answer(is_unchanged=True)
        await until(pilot, lambda: len(studio.asked) == 3)
        assert app.cells[0].picture is shown
        assert studio.waiting[0][0].newer_than_us == SCRIPT_NOW_US
        studio.answer(time_us=SCRIPT_NOW_US + US_PER_SECOND)
        await until(pilot, lambda: len(studio.asked) == 4)
        assert studio.asked[-1].newer_than_us == SCRIPT_NOW_US + US_PER_SECOND
        board.stop()
        await until(pilot, lambda: not studio.waiting)


async def test_the_newest_wish_wins_and_the_older_request_is_taken_back(
    app: BoardApp, studio: Studio
) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        cell = app.cells[0]
        board.show([(cell, Wish("yard", 1_000))])
        await until(pilot, lambda: len(studio.waiting) == 1)
        board.show([(cell, Wish("yard", 2_000, is_exact=True))])
        await until(pilot, lambda: studio.taken_back == 1 and len(studio.waiting) == 1)
        assert (studio.waiting[0][0].at_us, studio.waiting[0][0].exact) == (2_000, True)
        studio.answer()
        await until(pilot, lambda: board.reply_of(cell) is not None)
        reply = board.reply_of(cell)
        assert reply is not None
        assert (reply.time_us, reply.cells) == (2_000, None)


async def test_a_tick_is_over_once_when_all_its_cells_are_drawn_or_said_why_not(
    app: BoardApp, studio: Studio
) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        ticks: list[int] = []
        board.show(
            [(cell, Wish(f"c{n}", 1_000)) for n, cell in enumerate(app.cells)], lambda: ticks.append(1)
        )
        await until(pilot, lambda: len(studio.waiting) == CELLS)
        for _ in range(CELLS - 1):
            studio.answer()
            await pilot.pause(0.02)
            assert ticks == []
        studio.refuse()
        await until(pilot, lambda: ticks == [1])
        await asyncio.wait_for(board.settled(), 1)
        board.show(
            [(cell, Wish(f"c{n}", 2_000)) for n, cell in enumerate(app.cells)], lambda: ticks.append(2)
        )
        await until(pilot, lambda: len(studio.waiting) == CELLS)
        board.show(
            [(cell, Wish(f"c{n}", 3_000)) for n, cell in enumerate(app.cells)], lambda: ticks.append(3)
        )
        await until(pilot, lambda: len(studio.waiting) == CELLS and studio.taken_back == CELLS)
        for _ in range(CELLS):
            studio.answer()
            await pilot.pause(0.02)
        await until(pilot, lambda: ticks == [1, 3])


async def test_pictures_shown_lately_are_not_asked_for_again(app: BoardApp, studio: Studio) -> None:
    async with app.run_test(size=(120, 20)):
        board = board_of(app)
        studio.is_prompt = True
        cell = app.cells[0]
        for at_us in (1_000, 2_000, 1_000):
            board.show([(cell, Wish("yard", at_us))])
            await asyncio.wait_for(board.settled(), 2)
        assert [request.at_us for request in studio.asked] == [1_000, 2_000]
        reply = board.reply_of(cell)
        assert reply is not None
        assert reply.time_us == 1_000


async def test_a_cell_of_another_camera_never_keeps_the_old_picture(app: BoardApp, studio: Studio) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        cell = app.cells[0]
        board.show([(cell, Wish("yard", 1_000))])
        await until(pilot, lambda: len(studio.waiting) == 1)
        studio.answer()
        await until(pilot, lambda: cell.picture is not None)
        board.show([(cell, Wish("yard", 2_000))])
        assert cell.picture is not None, "another moment of it replaces the picture when it comes"
        board.show([(cell, Wish("gate", 2_000))])
        assert (cell.picture, cell.reason, cell.note) == (None, FETCHING, "")


async def test_why_there_is_no_picture_stands_in_the_cell_and_old_ones_are_called_old(
    app: BoardApp, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_feed, "RETRY_S", 0.02)
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        cell = app.cells[0]
        board.show([(cell, Wish("yard"))])
        await until(pilot, lambda: len(studio.waiting) == 1)
        studio.refuse(what="the camera is lost")
        await until(pilot, lambda: cell.reason == "the camera is lost")
        await until(pilot, lambda: len(studio.waiting) == 1)
        studio.answer()
        await until(pilot, lambda: cell.picture is not None and len(studio.waiting) == 1)
        assert not cell.is_stale
        studio.refuse(what="the camera is lost")
        await until(pilot, lambda: cell.is_stale)
        assert cell.picture is not None


async def test_a_picture_grows_old_while_its_camera_sends_no_other(app: BoardApp, studio: Studio) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        app.desk.mirror.apply(wire.SnapshotMessage(snapshot=FakeEngine().snapshot))
        now_us = app.desk.mirror.now_us
        board = board_of(app)
        studio.is_prompt, studio.now_us = True, now_us - 9 * US_PER_SECOND
        board.show([(app.cells[0], Wish("yard"))])
        await until(pilot, lambda: app.cells[0].picture is not None)
        assert not app.cells[0].is_stale
        place = board._places[app.cells[0]]
        assert place.live_us is not None
        place.live_us -= 2 * US_PER_SECOND  # two seconds later
        await until(pilot, lambda: app.cells[0].is_stale)


async def test_nothing_is_asked_for_while_the_view_is_not_in_front(app: BoardApp, studio: Studio) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        app.query_one(Cells).display = False
        board.show([(app.cells[0], Wish("yard", 1_000))])
        await pilot.pause(0.1)
        assert studio.asked == []
        app.query_one(Cells).display = True
        await until(pilot, lambda: len(studio.asked) == 1)


async def test_other_room_asks_for_another_size(app: BoardApp, studio: Studio) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        studio.is_prompt = True
        board.show([(app.cells[0], Wish("yard", 1_000))])
        await until(pilot, lambda: app.cells[0].picture is not None)
        await pilot.resize_terminal(80, 16)
        await until(pilot, lambda: len(studio.asked) == 2)
        assert [(request.columns, request.rows) for request in studio.asked] == [(30, 19), (20, 15)]


async def test_on_a_slow_line_two_requests_are_under_way_and_cells_take_turns(
    app: BoardApp, studio: Studio
) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        board._draw_s = 5.0  # a picture takes so long to draw
        board.show([(cell, Wish(f"c{n}")) for n, cell in enumerate(app.cells)])
        for _ in range(CELLS):
            await until(pilot, lambda: len(studio.waiting) == picture_feed.REQUESTS_MIN)
            board._draw_s = 5.0
            studio.answer()
        assert studio.most_waiting == picture_feed.REQUESTS_MIN
        assert sorted({request.camera for request in studio.asked[:CELLS]}) == ["c0", "c1", "c2", "c3"]


async def test_the_next_picture_is_asked_for_when_the_last_was_drawn(
    app: BoardApp, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        board = board_of(app)
        cell = app.cells[0]
        monkeypatch.setattr(cell, "_painted", lambda number: None)  # the line is slow
        board.show([(cell, Wish("yard"))])
        await until(pilot, lambda: len(studio.waiting) == 1)
        studio.answer()
        await until(pilot, lambda: cell.picture is not None)
        await pilot.pause(0.1)
        assert len(studio.asked) == 1
        cell.drawn()
        await until(pilot, lambda: len(studio.asked) == 2)


def test_the_memory_forgets_what_was_not_shown_for_longest() -> None:
    picture = CellPicture(2, 1, ((CellRun("ab"),),))
    reply = wire.PictureReply(
        camera="a", time_us=1, format=wire.PictureFormat.HALF_BLOCK, width_px=1, height_px=1
    )
    memory = PictureMemory(limit_bytes=2 * size_of(picture))
    memory.keep("a", picture, reply)
    memory.keep("b", picture, reply)
    assert memory.get("a") is not None
    memory.keep("c", picture, reply)
    assert [memory.get(key) is not None for key in "abc"] == [True, False, True]
