"""The console application: frame, views, keys and the line to the engine. It owns no truth and decides nothing.

Views are made when they are first shown; the connection is opened after the first paint.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer

from engine.client import WatchdeckError
from tui.alerts import AlertMixin
from tui.commands import COMMANDS, Command, Scope, bindings_of, parse
from tui.desk import Desk, LogLine
from tui.garbage import settle
from tui.key_order import KeyOrderMixin
from tui.keymap import Keymap
from tui.mirror import Change, Link
from tui.plain_scrollbar import choose_scrollbars
from tui.probe import window_cell_size
from tui.screens.absent import AbsentPane
from tui.screens.frame import Banner, FooterLine, HeaderLine, PromptLine, alarm_of
from tui.screens.send_to import SendToLines
from tui.screens.view import View
from tui.sending import SendingMixin
from tui.trail import Trail
from tui.view_makers import MAKERS
from tui.work import start

DEMO = "demo"
"""Exit value: the operator asked for the demo."""
TICK_S = 1.0
SETTLED_S = 3.0
"""After the first paint: connected, and the first view stands."""
WORDS_S = 0.1
"""State words are drawn this soon after they change; numbers wait for the tick."""


def _provider() -> type[Provider]:
    from tui.palette import CommandProvider

    return CommandProvider


FIRST_SCREENS = {
    "dashboard": Scope.DASHBOARD,
    "live": Scope.WALL,
    "last-wall": Scope.WALL,
    "playback": Scope.PLAYBACK,
    "alarms": Scope.ALARMS,
    "alarm-tab": Scope.ALARM_TAB,
}
"""By the words of a start-up row."""


class WatchdeckApp(KeyOrderMixin, SendingMixin, AlertMixin):
    """One console on one engine."""

    CSS_PATH = "watchdeck.tcss"
    TITLE = "Watchdeck"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_provider}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (70, "-normal"),
        (120, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [
        (0, "-low"),
        (20, "-standard"),
        (36, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(Scope.EVERYWHERE),
        Binding("d", "demo", "Demo", show=False),
    ]

    def __init__(self, desk: Desk, keymap: Keymap, theme: str | None = None) -> None:
        super().__init__()
        self.theme = theme if theme in self.available_themes else desk.profile.theme
        self._unknown_theme = theme if theme not in (None, self.theme) else None
        if desk.profile.graphics != "none":
            self.enable_pictures(has_pixels=desk.profile.graphics in ("sixel", "kitty"))
        choose_scrollbars(is_plain=desk.glyphs.name != "unicode")
        self.desk = desk
        self.glyphs = desk.glyphs
        self._keymap_file = keymap
        self.complaints = list(keymap.complaints)
        """Of the user's own files: said once the frame stands."""
        self.front = Scope.DASHBOARD
        self._trail = Trail()
        self._pending = Change.NOTHING
        self._words_timer: Timer | None = None
        self._was_live = False
        self._alarm = ""
        """Of a job, as it was rung last."""
        self.terminal_names: tuple[str, ...] = ()
        """What a start-up row may call this terminal, best first; empty = nobody asks."""
        self.shows = ""
        """What this console begins with whatever the station has for its terminal, as in a start-up row; empty = as the station has it."""
        self._has_begun = False
        """What this console shows first was chosen, by the station or by the operator."""
        self._showing = asyncio.Lock()
        self._shown: View | None = None
        """The view in front once it is mounted; only then is it drawn."""

    # -- life --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield HeaderLine(id="header")
        yield Banner(id="banner")
        with Container(id="views"):
            yield AbsentPane(id="absent")
        yield SendToLines()
        yield FooterLine(id="footer")
        yield PromptLine(id="prompt")

    def on_mount(self) -> None:
        if self._keymap_file.keys:
            self.set_keymap(self._keymap_file.keys)
        self.base.query_one(FooterLine).keys = self._keymap_file.keys
        self.begin_alerts()
        self.desk.mirror.listen(self._mirror_changed)
        self.set_interval(TICK_S, self._tick)
        self._draw_frame()
        self.call_after_refresh(self._connect)
        for complaint in self.complaints:
            self.tell(complaint, is_error=True)
        if self._unknown_theme is not None:
            self.tell(f"no theme {self._unknown_theme!r} (:theme NAME)", is_error=True)

    def _connect(self) -> None:
        start(self, self.desk.connection.run, "connection")
        self.set_timer(SETTLED_S, settle)

    # -- following the mirror ----------------------------------------------------------------------------

    def _mirror_changed(self, change: Change) -> None:
        self._pending |= change
        self.alert(change)
        if change & Change.WORDS and self._words_timer is None:
            self._words_timer = self.set_timer(WORDS_S, self._draw_changes)

    def _tick(self) -> None:
        if self.desk.mirror.is_live is not self._was_live:
            self._pending |= Change.LINK
        self._pending |= Change.STATION  # ages and clocks move on
        self.tick_alerts()
        if self.is_running:  # the last tick may come when the screen is already empty
            self.base.query_one(SendToLines).again(self.desk)
        self._draw_changes()

    def _draw_changes(self) -> None:
        """Draw what changed since the last time: the frame, and the view in front."""
        if self._words_timer is not None:
            self._words_timer.stop()
            self._words_timer = None
        change, self._pending = self._pending, Change.NOTHING
        if not self.is_running or not change:
            return
        self._was_live = self.desk.mirror.is_live
        self._draw_frame()
        if self.desk.mirror.is_connected and not self._has_begun:
            self._has_begun = True
            if self.terminal_names:
                start(self, self._show_first, "start-up")
        if self._shown is not None and self._is_view_shown:
            self._shown.refresh_from(change)

    def _draw_frame(self) -> None:
        link = self.desk.mirror.link
        self.base.query_one(HeaderLine).draw(self.desk, self.front)
        self.base.query_one(Banner).draw(self.desk)
        alarm = alarm_of(self.desk.mirror)
        if alarm and alarm != self._alarm:
            self.bell()
        self._alarm = alarm
        absent = self.base.query_one(AbsentPane)
        is_absent = link in (Link.STARTING, Link.ABSENT)
        if is_absent:
            absent.draw(self.desk, is_starting=link is Link.STARTING)
        if absent.display is not is_absent:
            absent.display = is_absent
            start(self, self._show_front, "show")

    def on_resize(self) -> None:
        self._follow_cell_size()
        self._pending |= Change.EVERYTHING
        self.call_after_refresh(self._draw_changes)

    def _follow_cell_size(self) -> None:
        """Another font size, at as many cells or not: pictures in pixels must be of another size."""
        from widgets.picture import TerminalPicture
        from widgets.video_cell import VideoCell

        profile = self.desk.profile
        size = (0, 0) if self.is_headless else window_cell_size(0)
        if not all(size) or size == (profile.cell_width_px, profile.cell_height_px):
            return
        self.desk.profile = dataclasses.replace(profile, cell_width_px=size[0], cell_height_px=size[1])
        for cell in self.base.query(VideoCell):
            if isinstance(cell.picture, TerminalPicture):
                # Made for cells of another size: drawn now it would reach over its place, and scroll the screen at the last row.
                cell.clear("...")
            if cell.follower is not None:
                cell.follower.cell_room_changed(cell)

    # -- views -------------------------------------------------------------------------------------------

    @property
    def view(self) -> View | None:
        """The view in front; None until it was first shown."""
        found = self.base.query(f"#{self.front}")
        return found.first(View) if found else None

    @property
    def base(self) -> Screen[object]:
        """The screen with the views, under any dialog."""
        return self.screen_stack[0]

    @property
    def _is_view_shown(self) -> bool:
        return not self.base.query_one(AbsentPane).display

    async def _show_front(self) -> View | None:
        """Bring the wanted view to the front, making it when it is new; nothing while no engine was ever there."""
        async with self._showing:
            if not self._is_view_shown:
                self.base.query_one(AbsentPane).focus()
                return None
            view = self.view
            self._shown = None
            for other in self.base.query(View):
                if other is not view and other.display:
                    other.display = False
                    other.leave()
            if view is None:
                view = MAKERS[self.front](self.desk)
                await self.base.query_one("#views").mount(view)
            view.display = True
            self._shown = view
            self._show_keys(view)
            self.base.query_one(HeaderLine).draw(self.desk, self.front)
            view.arrive()
            view.refresh_from(Change.EVERYTHING)
            return view

    def _show_keys(self, view: View) -> None:
        footer = self.base.query_one(FooterLine)
        footer.show_keys_of(self.front, has_filter=view.filter_text is not None, labels=view.labels)

    @on(View.KeysChanged)
    def _keys_changed(self) -> None:
        if self._shown is not None and self._shown is self.view:
            self._show_keys(self._shown)

    async def action_show(self, scope: str) -> None:
        """Bring a view to the front."""
        await self._show_named(Scope(scope))

    async def _show_named(self, scope: Scope) -> View | None:
        """By its number or a word after `:`; nothing is behind it."""
        if scope is not self.front:
            self._trail.begin()
        return await self.show_view(scope)

    async def show_view(self, scope: Scope) -> View | None:
        self.front = scope
        return await self._show_front()

    @on(View.Wanted)
    async def _view_wanted(self, event: View.Wanted) -> None:
        """By a key of the view in front: escape leads back to it."""
        self._trail.lead(self.front, event.scope)
        view = await self.show_view(event.scope)
        if view is not None:
            view.show_target(event.camera, event.at_us)

    async def _show_first(self) -> None:
        """VT-07: as the station has it for this terminal, unless the operator was faster."""
        from engine.wire_wall import StartUpRow
        from tui.start_up import ANY, kept_under, named_in, shown_first

        try:
            found = await self.desk.client.arrangements()
        except WatchdeckError as error:
            self.tell(f"start-up: {error}", is_error=True)
            return
        rows = (StartUpRow(terminal=ANY, shows=self.shows),) if self.shows else found.start_up
        shows = shown_first(rows, self.terminal_names)
        self.desk.last_wall = kept_under(rows, self.terminal_names)
        if not shows or self.front is not Scope.DASHBOARD or len(self.screen_stack) > 1:
            return
        word, _, name = shows.partition(" ")
        if word == "none":
            from tui.screens.still import StillScreen

            self.push_screen(StillScreen())
        elif word in FIRST_SCREENS:
            await self.show_view(FIRST_SCREENS[word])
        elif not named_in(found, word, name):
            self.tell(f"start-up: there is no {word} {name!r}; this is the dashboard", is_error=True)
        elif (wall := await self.show_view(Scope.WALL)) is not None:
            await self.run_action(f"{word}s({name!r})", wall)

    # -- words to the operator ---------------------------------------------------------------------------

    def tell(self, text: str, *, is_error: bool = False, seconds: float | None = None) -> None:
        """In the footer for some seconds, in the command log for good."""
        self.desk.log.append(LogLine(self.desk.mirror.now_us, text, is_error))
        self.base.query_one(FooterLine).tell(text, is_error=is_error, seconds=seconds)

    @on(View.QuietWanted)
    def _quiet_wanted(self) -> None:
        self.action_notifications()

    @on(View.Said)
    def _view_said(self, event: View.Said) -> None:
        self.tell(event.text, is_error=event.is_error, seconds=event.seconds)

    def keys_lost(self) -> None:
        self.tell("too many keys at once: the last of them are dropped", is_error=True)

    # -- command line and filter -------------------------------------------------------------------------

    def action_command_line(self) -> None:
        self._open_prompt(":")

    def action_filter(self, text: str | None = None) -> None:
        view = self.view
        if view is None or view.filter_text is None:
            self.tell("this screen has no list to filter")
        elif text is not None:
            view.set_filter(text)
        else:
            self._open_prompt("/", view.filter_text)

    def _open_prompt(self, prompt: str, text: str = "") -> None:
        self.base.query_one(FooterLine).display = False
        self.base.query_one(PromptLine).open(prompt, self.front, text)

    @on(PromptLine.Typed)
    def _prompt_typed(self, event: PromptLine.Typed) -> None:
        if event.prompt == "/" and self.view is not None:
            self.view.set_filter(event.text)

    @on(PromptLine.Closed)
    async def _prompt_closed(self, event: PromptLine.Closed) -> None:
        self.base.query_one(PromptLine).close()
        self.base.query_one(FooterLine).display = True
        if self.view is not None and self._is_view_shown:
            self.view.arrive()
        if event.prompt == "/":
            if event.text is None and self.view is not None:
                self.view.set_filter("")
        elif event.text and event.text.strip():
            await self.run_line(event.text)

    async def run_line(self, line: str) -> None:
        """Carry out what was typed after `:`."""
        meant = parse(line, self.front)
        if meant is None:
            self.tell(f"no such command: {line.split()[0]} (? lists them)", is_error=True)
            return
        command, argument = meant
        if argument and not command.takes:
            self.tell(f"`{command.words}` takes no argument", is_error=True)
        else:
            await self.run_command(command, argument)

    async def run_command(self, command: Command, argument: str = "") -> None:
        """From the palette and the command line: bring its view to the front and run its action there."""
        target: WatchdeckApp | View | None = self
        if command.scope is not Scope.EVERYWHERE:
            target = await self._show_named(command.scope)
        if target is None:
            self.tell("no engine: this works when one is there", is_error=True)
        elif argument:
            await self.run_action(f"{command.action}({argument!r})", target)
        else:
            await self.run_action(command.action, target)

    # -- actions everywhere ------------------------------------------------------------------------------

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        keys = {command.id: self._keymap_file.keys.get(command.id, command.keys) for command in COMMANDS}
        self.push_screen(HelpScreen(self.front, keys))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder="Search for commands", id="--command-palette"))

    def action_command_log(self) -> None:
        from tui.screens.help import LogScreen

        self.push_screen(LogScreen(self.desk))

    async def action_step_back(self) -> None:
        """One thing less; with nothing left to close, back to the screen behind this one."""
        if self.forget_link() or (self.view is not None and self.view.back()):
            return
        behind = self._trail.back(self.front) if self.view is not None else None
        if behind is None:
            self.base.query_one(FooterLine).forget()
        else:
            await self.show_view(behind)

    async def action_refresh_view(self) -> None:
        self.desk.connection.retry_now()
        if self.view is not None and self._is_view_shown:
            await self.view.reload()
            self._pending |= Change.EVERYTHING
            self._draw_changes()

    async def action_undo(self) -> None:
        if not self.desk.undo:
            self.tell("nothing to undo (removed cameras and saved edits are not undone)")
            return
        undo = self.desk.undo.pop()
        if await undo.step():
            self.tell(f"undone: {undo.words}")

    def action_toggle_read_only(self) -> None:
        self.desk.is_read_only = not self.desk.is_read_only
        self.tell("read-only mode is " + ("on" if self.desk.is_read_only else "off"))
        self._draw_frame()

    def action_theme(self, name: str = "") -> None:
        names = sorted(self.available_themes)
        if not name:
            name = names[(names.index(self.theme) + 1) % len(names)]
        if name not in names:
            self.tell(f"no theme {name!r}; there are: {', '.join(names)}", is_error=True)
            return
        self.theme = name
        self.tell(f"theme: {name}")

    def action_demo(self) -> None:
        if self.desk.mirror.link is Link.ABSENT:
            self.exit(DEMO)

    def _set_pointer_shape(self, shape: str) -> None:
        """Textual asks for one at every start; without a mouse nobody sees it, and plain terminals print it."""
        if self.desk.profile.has_mouse:
            super()._set_pointer_shape(shape)

    def action_quit_console(self) -> None:
        self.exit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "demo":
            return self.desk.mirror.link is Link.ABSENT
        return super().check_action(action, parameters)
