"""What is done with a clip, the same from every search screen: bookmark it, export it, put it into a case, play it back."""

from __future__ import annotations

from collections.abc import Mapping

from engine.wire_bookmarks import BookmarkAdd, BookmarkView
from engine.wire_evidence import CaseAdd, CaseItemAdd, CaseView
from tui.clip import Clip
from tui.commands import Scope
from tui.desk import Undo
from tui.event_search import time_complaint, time_fields, typed_time
from tui.screens.range_jobs import RangeJobs
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

NEW_CASE = "new"


class ClipActions:
    """Belongs to a view; each action is a worker of it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._jobs = RangeJobs(view)

    def words(self, clip: Clip) -> str:
        """`gate 14:03:07, 10 s`."""
        desk = self._view.desk
        when = format.recent_time(clip.start_us, desk.mirror.now_us, desk.zone)
        return f"{clip.camera} {when}, {format.duration(clip.end_us - clip.start_us)}"

    # -- bookmark ----------------------------------------------------------------------------------------

    def bookmark(self, clip: Clip, name: str = "") -> None:
        """At once, without a question (HK-08); `z` takes it back."""
        if self._view.may_change():
            start(self._view, lambda: self._bookmark(clip, name), "dialog")

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

    # -- export ------------------------------------------------------------------------------------------

    def export(self, clip: Clip) -> None:
        """Asks from when to when, with the clip filled in."""
        if self._view.has_engine():
            start(self._view, lambda: self._export(clip), "dialog")

    async def _export(self, clip: Clip) -> None:
        view = self._view
        now_us, zone = view.desk.mirror.now_us, view.desk.zone

        def complaint(values: Mapping[str, str]) -> tuple[str, str] | None:
            for key in ("from", "to"):
                if typed_time(values[key], now_us, zone) is None:
                    return key, "a time is needed"
            return time_complaint(values, now_us, zone)

        # Typed times are whole seconds: the clip is taken whole.
        second_us = format.SECOND_US
        whole = (clip.start_us // second_us * second_us, -(-clip.end_us // second_us) * second_us)
        form = FormDialog(
            f"Export {clip.camera}", time_fields(*whole, now_us, zone), submit="Export", check=complaint
        )
        values = await view.app.push_screen_wait(form)
        if values is not None:
            chosen = [
                # what was left as it stood means the same moment, also in an hour that comes twice
                time_us
                if values[key] == format.local_time(time_us, zone)
                else typed_time(values[key], now_us, zone)
                for key, time_us in zip(("from", "to"), whole, strict=True)
            ]
            await self._jobs.export(clip.camera, (chosen[0] or whole[0], chosen[1] or whole[1]))

    # -- cases -------------------------------------------------------------------------------------------

    def to_case(self, clips: tuple[Clip, ...], comment: str = "") -> None:
        """Add to a case that is picked, or to a new one."""
        if clips and self._view.may_change():
            start(self._view, lambda: self._to_case(clips, comment), "dialog")

    async def _to_case(self, clips: tuple[Clip, ...], comment: str) -> None:
        view = self._view
        client = view.desk.client
        cases = await view.ask(client.cases(), "cases")
        case = await self._picked(cases) if cases is not None else None
        if case is None:
            return
        for clip in clips:
            item = CaseItemAdd(
                camera=clip.camera, start_us=clip.start_us, end_us=clip.end_us, comment=comment
            )
            if await view.ask(client.add_case_item(str(case.id), item), f"case {case.name}") is None:
                return
        what = self.words(clips[0]) if len(clips) == 1 else format.plural(len(clips), "clip")
        view.say(f"added to case {case.name}: {what}")

    async def _picked(self, cases: tuple[CaseView, ...]) -> CaseView | None:
        view = self._view
        chosen: tuple[str, ...] | None = (NEW_CASE,)
        if cases:
            options = [
                Option(str(case.id), case.name, format.plural(len(case.items), "clip"), case.comment)
                for case in cases
            ]
            options.append(Option(NEW_CASE, "a new case"))
            chosen = await view.app.push_screen_wait(PickDialog("Add to which case?", options, submit="Add"))
        if not chosen:
            return None
        if chosen[0] != NEW_CASE:
            return next(case for case in cases if str(case.id) == chosen[0])
        fields = [Field("name", "Name", is_required=True), Field("comment", "Comment")]
        text = "What is in a case is kept from recycling."
        values = await view.app.push_screen_wait(FormDialog("New case", fields, submit="Add", text=text))
        if values is None:
            return None
        case = CaseAdd(name=values["name"].strip(), comment=values["comment"].strip())
        return await view.ask(view.desk.client.add_case(case), f"case {case.name}")

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
