"""Bookmarks: moments kept from recycling, as a list or as pictures; played, edited, exported. Manual rows BM-01 to BM-08, HK-21, HK-22."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.client import NotFound, WatchdeckError
from engine.wire_bookmarks import BookmarkView
from tui.bookmark_search import (
    BookmarkSearch,
    edit_fields,
    edit_of,
    search_complaint,
    search_fields,
    search_of,
)
from tui.clip import Clip
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.held_place import place_after
from tui.mirror import Change
from tui.picture_wish import Wish
from tui.screens.bookmarks_text import columns_for, detail_lines, line_of, status_of
from tui.screens.clip_actions import ClipActions
from tui.screens.clip_player import ClipPlayer
from tui.screens.mode_keys import Labels, playing
from tui.screens.picture_grid import GridItem, PictureGrid
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import ConfirmDialog, FormDialog
from widgets.line_list import LineList
from widgets.line_source import Line

EMPTY = "no bookmarks"
NOTHING_FITS = "no bookmark fits; esc takes the search off"
PAGE_BOOKMARKS = 200
BOOKMARKS_MAX = 20_000
"""Kept in memory; beyond it the search is the way."""
NEAR_END = 60
"""Rows left below the cursor when the next page is asked for."""


class BookmarksView(View):
    """`:bookmarks`, and `B` in Recordings."""

    SCOPE = Scope.BOOKMARKS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.BOOKMARKS)]
    DEFAULT_CSS = """
    BookmarksView > .title { height: 1; background: $surface; }
    BookmarksView > #bookmark-detail { height: 2; background: $surface; }
    BookmarksView PictureGrid { display: none; }
    BookmarksView.-pictures PictureGrid { display: block; }
    BookmarksView.-pictures LineList { display: none; }
    BookmarksView.-playing LineList, BookmarksView.-playing PictureGrid, BookmarksView.-playing #bookmark-detail { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._bookmarks: list[BookmarkView] = []
        self._search = BookmarkSearch()
        self._resume = ""
        self._is_fetching = False
        self._is_loaded = False
        self._playing: BookmarkView | None = None
        self._playing_at = (0, True)
        """Its index in the list, and whether it is still there."""
        self._actions = ClipActions(self)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield LineList(columns_for(()), can_mark=True, empty_text=EMPTY)
        yield PictureGrid(self, can_mark=True, id="bookmarks-grid")
        yield ClipPlayer(self)
        yield TextPane(id="bookmark-detail")

    def on_mount(self) -> None:
        self.rows = self.query_one(LineList)
        self.grid = self.query_one(PictureGrid)
        self.player = self.query_one(ClipPlayer)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self._focus()
        self._restart()

    def _focus(self) -> None:
        (self.player if self.player.is_open else self.grid if self._has_pictures else self.rows).focus()

    def leave(self) -> None:
        self._close_player()
        self.grid.stop()

    def show_target(self, camera: str, at_us: int | None) -> None:
        if camera:
            self._look_for(BookmarkSearch(camera=camera))

    def refresh_from(self, change: Change) -> None:
        if change & Change.LINK and self.desk.mirror.is_connected and not self._is_loaded:
            self._restart()
        self._draw_words()

    @property
    def filter_text(self) -> str | None:
        """BM-06: the camera's name, nothing else."""
        return self._search.camera

    def set_filter(self, text: str) -> None:
        self._look_for(replace(self._search, camera=text.strip()))

    def _look_for(self, search: BookmarkSearch) -> None:
        if search != self._search:
            self._search = search
            self._clear_marks()
            self._restart()

    def back(self) -> bool:
        if self.player.is_open:
            self._close_player()
            self._draw()
            return True
        if self._marks:
            self._clear_marks()
            self._draw()
            return True
        is_narrow = self._search.is_narrow
        self._look_for(BookmarkSearch())
        return is_narrow

    @property
    def labels(self) -> Labels | None:
        return playing("bookmarks", ("bookmarks.export", "Export")) if self.player.is_open else None

    async def reload(self) -> None:
        self._restart()

    @property
    def _has_pictures(self) -> bool:
        return self.has_class("-pictures")

    # -- fetching ----------------------------------------------------------------------------------------

    def _restart(self) -> None:
        start(self, partial(self._fetch, is_fresh=True), "bookmarks")

    async def _fetch(self, *, is_fresh: bool) -> None:
        """One page: the newest footage, or what comes after the page before."""
        if not self.desk.mirror.is_connected:
            return
        query = self._search.query("" if is_fresh else self._resume, PAGE_BOOKMARKS)
        self._is_fetching = True
        try:
            page = await self.ask(self.desk.client.bookmarks(query), "bookmarks")
        finally:
            self._is_fetching = False
        if page is None:
            return
        known = [] if is_fresh else self._bookmarks
        bookmarks = [*known, *page.bookmarks]
        self._resume = page.resume if len(bookmarks) < BOOKMARKS_MAX else ""
        self._is_loaded = True
        self._take(bookmarks)

    def _take(self, bookmarks: list[BookmarkView]) -> None:
        """Another list: what is in hand and what is played are held by what they are, not by where they stood."""
        before, after = [each.id for each in self._bookmarks], [each.id for each in bookmarks]
        cursor, _ = place_after(before, self._cursor, after)
        if self._playing is not None:
            at, is_there = self._playing_at
            index, is_found = place_after(before, at, after)
            self._playing_at = index, is_there and is_found
            self._playing = bookmarks[index] if is_there and is_found else self._playing
        self._bookmarks = bookmarks
        self._forget_marks(frozenset(before) - frozenset(after))
        self.rows.set_lines(self._lines())
        self.rows.cursor = self.grid.cursor = max(0, min(cursor, len(bookmarks) - 1))
        self._draw()

    # -- drawing -----------------------------------------------------------------------------------------

    def _lines(self) -> list[Line]:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        return [line_of(each, now_us, zone) for each in self._bookmarks]

    def _draw(self) -> None:
        self.rows.empty_text = NOTHING_FITS if self._search.is_narrow else EMPTY
        self.rows.set_columns(columns_for(self._bookmarks))
        self.rows.set_lines(self._lines())
        self.rows.refresh()  # an empty list that stays empty may have other words
        if self._has_pictures:
            self.grid.show(len(self._bookmarks), self._item)
        self._draw_words()

    def _item(self, index: int) -> GridItem:
        bookmark = self._bookmarks[index]
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        status = status_of(bookmark)
        caption = f"{status.sign} {bookmark.name or bookmark.camera}"
        # Hours and minutes are enough below a picture: the lines at the foot tell the rest.
        when = format.recent_time(bookmark.start_us, now_us, zone).rsplit(":", 1)[0].split(" ")[0]
        if not bookmark.is_valid:
            return GridItem(bookmark.id, caption, None, when, "Invalid, the video is gone")
        return GridItem(bookmark.id, caption, Wish(bookmark.camera, bookmark.start_us, is_rough=True), when)

    def _draw_words(self) -> None:
        self.tell_keys()
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        more = "+" if self._resume else ""
        parts: list[Content | tuple[str, str]] = [(" Bookmarks", "bold")]
        if self._is_loaded:
            parts.append((f"  {format.count(len(self._bookmarks))}{more}", ""))
        chips = self._search.chips(now_us, zone)
        if chips:
            parts.append((f"  {', '.join(chips)}  (esc clears)", "bold $text-accent"))
        if self._marks:
            parts.append((f"  {len(self._marks)} marked", "bold $text-accent"))
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.write(".title", [Content.assemble(*parts)])
        bookmark = self._in_hand
        words = detail_lines(bookmark, now_us, zone) if bookmark is not None else [Content("")] * 2
        if bookmark is None and self._is_loaded and not self._search.is_narrow:
            words = [
                Content.styled(" b in Recordings, Playback and the searches makes one", "dim"),
                Content(""),
            ]
        self.write("#bookmark-detail", words)

    # -- what is in hand ---------------------------------------------------------------------------------

    @property
    def _cursor(self) -> int:
        return self.grid.cursor if self._has_pictures else self.rows.cursor

    @property
    def _in_hand(self) -> BookmarkView | None:
        """What is played, else the one under the cursor."""
        if self._playing is not None:
            return self._playing
        index = self._cursor
        return self._bookmarks[index] if index < len(self._bookmarks) else None

    @property
    def _marks(self) -> frozenset[object]:
        return self.grid.marks if self._has_pictures else self.rows.marks

    def _clear_marks(self) -> None:
        self.grid.marks = frozenset()
        self.rows.clear_marks()

    def _forget_marks(self, gone: frozenset[object]) -> None:
        """What is not in the list any more is not marked either: marks are what the next key is for."""
        self.grid.marks -= gone
        if marks := self.rows.marks & gone:
            kept = self.rows.marks - marks
            self.rows.clear_marks()
            self.rows.mark_keys(kept)

    def _meant(self) -> list[BookmarkView]:
        """Those marked, else the one in hand; none after saying so."""
        marks = self._marks
        if marks and not self.player.is_open:
            return [each for each in self._bookmarks if each.id in marks]
        bookmark = self._in_hand
        if bookmark is None:
            self.say("no bookmark in hand", is_error=True)
            return []
        return [bookmark]

    @on(LineList.Highlighted)
    @on(LineList.MarksChanged)
    @on(PictureGrid.Moved)
    def _moved(self) -> None:
        if self._resume and not self._is_fetching and self._cursor >= len(self._bookmarks) - NEAR_END:
            start(self, partial(self._fetch, is_fresh=False), "bookmarks")
        self._draw_words()

    @on(LineList.Selected)
    @on(PictureGrid.Opened)
    def _opened(self) -> None:
        self.action_play()

    # -- other looks -------------------------------------------------------------------------------------

    def action_show(self) -> None:
        """The screen as it is."""

    def action_look(self) -> None:
        """Pictures or list (BM-07); cursor and marks stay."""
        if self.desk.profile.graphics == "none":
            self.say("this console shows no pictures (--graphics none)", is_error=True)
            return
        if self.player.is_open:
            return
        if self._has_pictures:
            marks, index = self.grid.marks, self.grid.cursor
            self.remove_class("-pictures")
            self.grid.stop()
            self.rows.clear_marks()
            self.rows.mark_keys(marks)
            self.rows.cursor = index
        else:
            self.grid.marks, self.grid.cursor = self.rows.marks, self.rows.cursor
            self.add_class("-pictures")
        self._focus()
        self.call_after_refresh(self._draw)

    def action_search(self) -> None:
        start(self, self._ask_search, "dialog")

    async def _ask_search(self) -> None:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        form = FormDialog(
            "Search bookmarks",
            search_fields(self._search, now_us, zone),
            submit="Search",
            check=lambda values: search_complaint(values, now_us, zone),
        )
        values = await self.app.push_screen_wait(form)
        if values is not None:
            self._look_for(search_of(values, now_us, zone))

    # -- playing -----------------------------------------------------------------------------------------

    def action_play(self) -> None:
        if self.player.is_open:
            self.player.pause()
        elif self._bookmarks and self.has_engine():
            self._play(self._cursor)

    def _play(self, index: int) -> None:
        bookmark = self._bookmarks[index]
        if self.desk.profile.graphics == "none":
            self.say("this console shows no pictures (--graphics none)", is_error=True)
        elif not bookmark.is_valid:
            self.say("Invalid: the video of this bookmark is gone", is_error=True)
        else:
            self._playing, self._playing_at = bookmark, (index, True)
            self.grid.stop()
            self.add_class("-playing")
            self.player.play(_clip(bookmark), f"{bookmark.name}  {index + 1} of {len(self._bookmarks)}")

    def action_neighbour(self, direction: int) -> None:
        """HK-22: Right next, Left previous."""
        if not self.player.is_open:
            return
        at, is_there = self._playing_at
        first = at + is_there if direction > 0 else at - 1
        indexes = range(first, len(self._bookmarks) if direction > 0 else -1, direction)
        index = next((each for each in indexes if self._bookmarks[each].is_valid), None)
        if index is None:
            self.say("that was the last bookmark" if direction > 0 else "that was the first bookmark")
            return
        self.rows.cursor = self.grid.cursor = index
        self._play(index)

    def action_pause(self) -> None:
        if self.player.is_open:
            self.player.pause()

    def action_step(self, frames: int) -> None:
        if self.player.is_open:
            self.player.step(frames)

    def _close_player(self) -> None:
        if self.player.is_open:
            self.player.close()
            self._playing = None
            self.remove_class("-playing")
            self._focus()

    # -- changing ----------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        bookmark = self._in_hand
        if bookmark is None:
            self.say("no bookmark in hand", is_error=True)
        elif self.may_change():
            start(self, partial(self._edit, bookmark), "dialog")

    async def _edit(self, bookmark: BookmarkView) -> None:
        now_us, zone = self.desk.mirror.now_us, self.desk.zone
        form = FormDialog(f"Bookmark of {bookmark.camera}", edit_fields(bookmark, now_us, zone))
        values = await self.app.push_screen_wait(form)
        edit = edit_of(values, bookmark, now_us, zone) if values is not None else None
        if edit is None:
            return
        changed = await self.ask(self.desk.client.edit_bookmark(bookmark.id, edit), "bookmark")
        if changed is not None:
            self.say("bookmark saved")
            self._take([changed if each.id == changed.id else each for each in self._bookmarks])

    def action_remove(self) -> None:
        meant = self._meant() if self.may_change() else []
        if meant:
            start(self, partial(self._remove, meant), "dialog")

    async def _remove(self, meant: list[BookmarkView]) -> None:
        """After a question; their video may be recycled from then on."""
        what = format.plural(len(meant), "bookmark")
        title = f"Delete {what}?" if len(meant) > 1 else f"Delete the bookmark of {meant[0].camera}?"
        kept = sum(each.is_valid and each.is_protected for each in meant)
        text = (
            "Nothing of it is kept from recycling any more." if kept else "Their video is not kept as it is."
        )
        if not await self.app.push_screen_wait(ConfirmDialog(title, text, confirm="Delete")):
            return
        self._close_player()
        gone: set[int] = set()
        for each in meant:
            try:
                await self.desk.client.remove_bookmark(each.id)
            except NotFound:
                pass  # somebody else was faster: it is gone
            except WatchdeckError as error:
                self.say(f"bookmark of {each.camera}: {error}", is_error=True)
                break
            gone.add(each.id)
        if gone:
            self._clear_marks()
            self._take([each for each in self._bookmarks if each.id not in gone])
            if len(gone) == len(meant):
                self.say(f"deleted {what}")

    # -- with the clip -----------------------------------------------------------------------------------

    def action_snapshot(self) -> None:
        bookmark = self._in_hand
        if bookmark is not None:
            self._actions.snapshot(self.player, (bookmark.camera, bookmark.start_us))

    def action_export(self) -> None:
        bookmark = self._in_hand
        if bookmark is not None:
            self._actions.export(_clip(bookmark))

    def action_case(self) -> None:
        meant = self._meant()
        comment = meant[0].name if len(meant) == 1 else ""
        self._actions.to_case(tuple(_clip(each) for each in meant), comment)

    def action_playback(self) -> None:
        bookmark = self._in_hand
        if bookmark is not None:
            self._actions.go(Scope.PLAYBACK, bookmark.camera, bookmark.start_us)


def _clip(bookmark: BookmarkView) -> Clip:
    return Clip(bookmark.camera, bookmark.start_us, bookmark.end_us)
