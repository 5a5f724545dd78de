"""What is done with a clip, the same from every search screen: bookmark it, export it, put it into a case, play it back."""

from __future__ import annotations

from engine.wire_bookmarks import BookmarkAdd, BookmarkView
from tui.clip import Clip
from tui.commands import Scope
from tui.desk import Undo
from tui.screens.cameras import save_snapshot
from tui.screens.case_dialog import add_to_case
from tui.screens.clip_player import ClipPlayer
from tui.screens.export_dialog import ask_export
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.pick_dialog import Option, PickDialog


class ClipActions:
    """Belongs to a view; each action is a worker of it."""

    def __init__(self, view: View) -> None:
        self._view = view

    def words(self, clip: Clip) -> str:
        """`gate 14:03:07, 10 s`."""
        desk = self._view.desk
        when = format.recent_time(clip.start_us, desk.mirror.now_us, desk.zone)
        return f"{clip.camera} {when}, {format.duration(clip.end_us - clip.start_us)}"

    # -- bookmark ----------------------------------------------------------------------------------------

    def bookmark(self, clip: Clip, name: str = "") -> None:
        """At once, without a question (HK-08); `z` takes it back."""
        if self._view.may_change():
            self._view.keep(lambda: self._bookmark(clip, name))

    async def _bookmark(self, clip: Clip, name: str) -> None:
        view = self._view
        wanted = BookmarkAdd(camera=clip.camera, start_us=clip.start_us, end_us=clip.end_us, name=name)
        added = await view.ask(view.desk.client.add_bookmark(wanted), f"bookmark of {clip.camera}")
        if added is not None:
            view.say(f"bookmarked {self.words(clip)} (z takes it back)")
            view.desk.undo.append(Undo(f"bookmark of {clip.camera}", lambda: self._remove(added)))

    async def _remove(self, bookmark: BookmarkView) -> bool:
        client = self._view.desk.client
        return await self._view.carry(client.remove_bookmark(bookmark.id), f"bookmark of {bookmark.camera}")

    # -- snapshot ----------------------------------------------------------------------------------------

    def snapshot(self, player: ClipPlayer, otherwise: tuple[str, int | None] | None) -> None:
        """SS-23: the frame that is played, else the picture in hand (camera and time; None = live), as a JPEG."""
        shown: tuple[str, int | None] | None = player.shown or otherwise
        if shown is not None and self._view.has_engine():
            camera, at_us = shown
            self._view.keep(lambda: save_snapshot(self._view, camera, at_us, is_exact=True))

    # -- export ------------------------------------------------------------------------------------------

    def export(self, clip: Clip) -> None:
        """Asks from when to when, with the clip filled in."""
        if self._view.has_engine():
            start(self._view, lambda: self._export(clip), "dialog")

    async def _export(self, clip: Clip) -> None:
        await ask_export(self._view, [clip])

    # -- cases -------------------------------------------------------------------------------------------

    def to_case(self, clips: tuple[Clip, ...], comment: str = "") -> None:
        """Add to a case that is picked, or to a new one."""
        if clips and self._view.may_change():
            start(self._view, lambda: add_to_case(self._view, clips, comment=comment), "dialog")

    # -- elsewhere ---------------------------------------------------------------------------------------

    def go(self, scope: Scope, camera: str, at_us: int | None) -> None:
        """To another screen, at this time."""
        self._view.post_message(View.Wanted(scope, camera=camera, at_us=at_us))


async def pick_camera(view: View, title: str, chosen: str = "") -> str | None:
    """One of the station's cameras by name; None = none, after saying why."""
    names = [camera.name for camera in view.desk.mirror.cameras]
    if not names:
        view.say("there is no camera yet", is_error=True)
        return None
    options = [Option(name, name) for name in names]
    picked = await view.app.push_screen_wait(PickDialog(title, options, chosen=(chosen,) if chosen else ()))
    return picked[0] if picked else None
