"""Bays: the front of the box as it stands in the rack, the drive in hand, what stands on it, what goes on with it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message

from engine.client import WatchdeckError
from engine.wire_chassis import INFORMATION_TABLE, Drive, DriveDetail, VirtualDrive
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.bay_faces import bay_faces, drive_of
from tui.screens.bays_dialogs import BayDialogs
from tui.screens.bays_text import bay_lines, drive_lines, page_lines, task_lines, title_line
from tui.screens.bays_tree import COLUMNS, Node, node_lines, tree_rows
from tui.screens.help import PageScreen
from tui.screens.paper import Paper
from tui.screens.text_pane import TextPane
from tui.work import start
from widgets.bay_map import BayMap
from widgets.blink import BlinkBeat, Rate
from widgets.drive_bay import HEIGHTS, MAX_WIDTH, MIN_WIDTH, box_height
from widgets.line_list import LineList
from widgets.line_source import Line

SIDE_COLUMNS = 35
WIDE_SIDE_COLUMNS = 46
WIDE_FROM = 110
NARROW_BELOW = 70
ROWS_BELOW_MAP = 5
PAGE_INDENT = 8


class WordsPane(TextPane):
    """Words that are wrapped for its width: they are made anew when it has another one."""

    class Resized(Message):
        """There is another amount of room."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())


class BaysView(BayDialogs):
    """Number key 5."""

    SCOPE = Scope.BAYS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.BAYS)]
    DEFAULT_CSS = """
    BaysView > .title { height: 1; background: $surface; }
    BaysView > #bays-body { height: 1fr; }
    BaysView #bays-left { width: 45; height: 1fr; }
    BaysView #bays-side { width: 1fr; padding: 0 0 0 1; }
    BaysView #bays-tasks { height: 1fr; }
    BaysView LineList { display: none; height: 1fr; scrollbar-size-vertical: 1; }
    BaysView.-tree LineList { display: block; }
    BaysView.-tree BayMap { display: none; }
    BaysView.-tree #bays-tasks { height: 6; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._detail: DriveDetail | None = None
        self._detail_key: tuple[str, int | None] = ("", None)
        self._rows: list[Line] = []
        self._beat = BlinkBeat(self, self._lamps_turned)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        with Horizontal(id="bays-body"):
            with Vertical(id="bays-left"):
                yield BayMap()
                yield LineList(COLUMNS, empty_text="no virtual drive: press n to set up storage")
                yield WordsPane(id="bays-tasks")
            yield WordsPane(id="bays-side")

    # -- what is in hand ---------------------------------------------------------------------------------

    @property
    def is_tree(self) -> bool:
        return self.has_class("-tree")

    @property
    def node(self) -> Node | None:
        """The row of the tree in hand; None while the map is shown."""
        key = self.query_one(LineList).cursor_key if self.is_tree else None
        return key if isinstance(key, Node) else None

    @property
    def bay(self) -> int | None:
        if self.is_tree:
            drive = self.drive
            return drive.bay if drive is not None else None
        return self.query_one(BayMap).selected if self.chassis is not None else None

    @property
    def drive(self) -> Drive | None:
        chassis = self.chassis
        if chassis is None:
            return None
        if self.is_tree:
            node = self.node
            return chassis.inventory.drive(node.id) if node is not None and node.kind == "drive" else None
        return drive_of(chassis, self.query_one(BayMap).selected)

    @property
    def virtual_drive(self) -> VirtualDrive | None:
        chassis, node = self.chassis, self.node
        if chassis is None:
            return None
        if node is not None and node.virtual_drive:
            return chassis.inventory.virtual_drive(node.virtual_drive)
        drive = self.drive
        found = chassis.inventory.virtual_drives_of(drive.group) if drive is not None and drive.group else ()
        return found[0] if found else None

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.query_one(LineList if self.is_tree else BayMap).focus()
        self._follow_lamps()
        waiting = [job for job in self._open_jobs() if job.needs]
        if waiting:
            self.say(f"{waiting[0].title}: waits for you (o opens it)")

    def leave(self) -> None:
        self._beat.stop()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """The map takes the room it needs, the words the rest."""
        chassis = self.chassis
        width, height = self.size.width, self.size.height - 1
        if chassis is None or width <= 0:
            return
        rows = chassis.layout.rows
        columns = max((len(row) for row in rows), default=1)
        side = WIDE_SIDE_COLUMNS if width >= WIDE_FROM else SIDE_COLUMNS if width >= NARROW_BELOW else 0
        box = max(MIN_WIDTH, min(MAX_WIDTH, (width - side - bool(side)) // columns))
        spare = min(ROWS_BELOW_MAP, height // 3)
        wanted = len(rows) * box_height(len(rows), height - spare, box) if rows else HEIGHTS[-1]
        self.query_one("#bays-left").styles.width = columns * box + 1 if side else "1fr"
        self.query_one(BayMap).styles.height = wanted

    def refresh_from(self, change: Change) -> None:
        if not self.is_mounted:
            return
        if change & (Change.CHASSIS | Change.LINK):
            self._draw_map()
            self._draw_tree()
        elif self.is_front and not self._beat.is_running:
            self._follow_lamps()  # a dialog stood in front of it
        self._draw_title()
        self._draw_words()

    def back(self) -> bool:
        if self.filter_text:
            self.set_filter("")
            return True
        if self.is_tree:
            self.action_tree()
            return True
        return False

    @property
    def filter_text(self) -> str | None:
        return self.query_one(LineList).filter_text if self.is_tree else None

    def set_filter(self, text: str) -> None:
        self.query_one(LineList).filter_text = text

    async def reload(self) -> None:
        self._detail_key = ("", None)
        self._follow_drive()

    # -- drawing -----------------------------------------------------------------------------------------

    def _paper(self, pane: TextPane) -> Paper:
        region = pane.scrollable_content_region
        return Paper(region.width, region.height, self.desk.glyphs, self.desk.zone)

    def _draw_map(self) -> None:
        chassis = self.chassis
        if chassis is None:
            return
        bay_map = self.query_one(BayMap)
        is_new = not bay_map.rates
        faces = bay_faces(chassis, self.desk.blinking, self.desk.mirror.now_us)
        bay_map.show(chassis.layout.rows, faces)
        self._follow_lamps()
        if is_new:
            self._fit()

    def _draw_tree(self) -> None:
        chassis = self.chassis
        rows = tree_rows(chassis) if chassis is not None else []
        if rows != self._rows:
            self._rows = rows
            self.query_one(LineList).set_lines(rows)

    def _draw_title(self) -> None:
        chassis, mirror = self.chassis, self.desk.mirror
        rate = self._information_rate()
        line = title_line(
            chassis,
            is_live=mirror.is_live,
            is_lamp_lit=rate != "off" and (self._beat.is_lit(rate) or not self._beat.is_running),
            glyphs=self.desk.glyphs,
        )
        self.query_one(".title", TextPane).show([line])

    def _draw_words(self) -> None:
        self._follow_drive()
        side, tasks = self.query_one("#bays-side", TextPane), self.query_one("#bays-tasks", TextPane)
        chassis = self.chassis
        if chassis is None:
            side.show([])
            tasks.show([Content.styled("the engine has not told of any drives", "dim")])
            return
        is_narrow = not side.display or not side.region
        paper = self._paper(tasks)
        below = task_lines(chassis, paper)
        if is_narrow:
            below = [*self._side_lines(paper), Content(""), *below]
        else:
            side.show(self._as_is(self._side_lines(self._paper(side))))
        tasks.show(self._as_is(below[: paper.rows]))

    def _as_is(self, lines: list[Content]) -> list[Content]:
        """What is not the present has no colour of it."""
        if self.desk.mirror.is_live:
            return lines
        return [Content.styled(line.plain, "dim") for line in lines]

    def _side_lines(self, paper: Paper) -> list[Content]:
        chassis, now_us = self.chassis, self.desk.mirror.now_us
        if chassis is None:
            return []
        node, drive = self.node, self.drive
        detail = self._detail if drive is not None and self._detail_key[0] == drive.id else None
        if self.is_tree and drive is not None:
            return drive_lines(chassis, drive, detail, paper, now_us)
        if self.is_tree:
            return node_lines(chassis, node, paper, now_us) if node is not None else []
        return bay_lines(chassis, self.query_one(BayMap).selected, detail, paper, now_us)

    # -- lamps -------------------------------------------------------------------------------------------

    def _information_rate(self) -> Rate:
        chassis = self.chassis
        if chassis is None:
            return "off"
        led = INFORMATION_TABLE[chassis.information]
        rates: dict[str, Rate] = {"4hz": "4hz", "1hz": "1hz", "0.25hz": "0.25hz", "steady": "steady"}
        rate = rates.get(str(led.red), rates.get(str(led.blue), "off"))
        return "steady" if self.desk.blinking == "off" and rate != "off" else rate

    def _follow_lamps(self) -> None:
        """Blink what is in sight, and nothing while another screen or a dialog stands in front."""
        if not self.is_front or self.chassis is None:
            self._beat.stop()
            return
        rates = {self._information_rate()}
        if not self.is_tree:
            rates |= self.query_one(BayMap).rates
        if not self.desk.mirror.is_live:
            rates = set()
        self._beat.follow(rates)
        self.query_one(BayMap).turn(self._beat.is_lit if self._beat.is_running else _lit, rates)

    def _lamps_turned(self, rates: frozenset[Rate]) -> None:
        if not self.is_front:
            self._beat.stop()
            return
        if not self.is_tree:
            self.query_one(BayMap).turn(self._beat.is_lit, rates)
        if self._information_rate() in rates:
            self._draw_title()

    def lamps_changed(self) -> None:
        self._draw_map()
        self._follow_lamps()

    # -- following the drive in hand ---------------------------------------------------------------------

    def _follow_drive(self) -> None:
        """Ask for its history when another drive is in hand, or when it was read anew."""
        chassis, drive = self.chassis, self.drive
        if chassis is None or drive is None or not self.desk.mirror.is_connected or not self.display:
            return
        health = chassis.health_of(drive.id)
        key = (drive.id, health.checked_us if health is not None else None)
        if key != self._detail_key:
            if key[0] != self._detail_key[0]:
                self._detail = None
            self._detail_key = key
            start(self, lambda: self._read_detail(drive.id), "detail")

    async def _read_detail(self, drive: str) -> None:
        try:
            detail = await self.desk.client.drive(drive)
        except WatchdeckError:
            return  # the panel goes on without history; the link's own troubles are said in the frame
        if self._detail_key[0] == drive:
            self._detail = detail
            self._draw_words()

    @on(WordsPane.Resized)
    @on(BayMap.Highlighted)
    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._draw_words()

    @on(LineList.Selected)
    @on(BayMap.Opened)
    def _opened(self) -> None:
        self.action_details()

    # -- actions -----------------------------------------------------------------------------------------

    def action_tree(self) -> None:
        self.toggle_class("-tree")
        self.query_one(LineList if self.is_tree else BayMap).focus()
        self._follow_lamps()
        self._draw_words()

    def action_details(self, bay: str = "") -> None:
        chassis = self.chassis
        drive = self.drive
        if bay and chassis is not None:
            drive = drive_of(chassis, int(bay)) if bay.isdecimal() else None
            if drive is None:
                self.say(f"no drive in bay {bay!r}", is_error=True)
                return
        if drive is not None:
            self.app.push_screen(DrivePage(self.desk, drive.id))
        elif self.node is None:
            self.say(f"bay {self.bay} is empty", is_error=True)


class DrivePage(PageScreen):
    """Everything about one drive, kept up to date while it is open."""

    def __init__(self, desk: Desk, drive: str) -> None:
        self._desk = desk
        self._drive = drive
        self._detail: DriveDetail | None = None
        chassis = desk.mirror.chassis
        known = chassis.inventory.drive(drive) if chassis is not None else None
        title = f"Drive {known.serial}" if known is not None else "Drive"
        super().__init__(title, self._page(), PAGE_INDENT)

    def on_mount(self) -> None:
        self.set_interval(1.0, lambda: self.show_lines(self._page()))
        start(self, self._read, "detail")

    async def _read(self) -> None:
        try:
            self._detail = await self._desk.client.drive(self._drive)
        except WatchdeckError as error:
            self.show_lines([*self._page(), Content.styled(str(error), "bold $text-error")])
        else:
            self.show_lines(self._page())

    def _page(self) -> list[Content]:
        chassis = self._desk.mirror.chassis
        drive = chassis.inventory.drive(self._drive) if chassis is not None else None
        if chassis is None or drive is None:
            return [Content("this drive is gone")]
        paper = Paper(90, 1000, self._desk.glyphs, self._desk.zone)
        return page_lines(chassis, drive, self._detail, paper, self._desk.mirror.now_us)


def _lit(rate: Rate) -> bool:
    """While nothing blinks every lamp that is not off shines."""
    return rate != "off"
