"""Asks how footage is exported, shows what would come of it, and begins: for every screen that has a clip or a range. EX-01 to EX-10.

    await ask_export(view, [Clip(camera, start_us, end_us), ...])             one or several ranges; times of one can be edited
    await ask_export(view, (), case="theft")                                  all of a case
    await ask_export(view, clips, name="night", comment="why")                filled in already

Call it in a worker (`tui.work.start`) after `view.has_engine()`. True: begun. What the engine makes is then in Evidence (key 9), with
its progress; "this console" saves one MP4 here, as `tui/screens/direct_export.py` does. Passwords are kept nowhere. Masks are typed, or drawn on
the picture with f4 (`tui/screens/export_masks.py`); each camera has its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.client import WatchdeckError
from engine.wire_evidence import ExportAsk, ExportPlanView, ExportRange, PrivacyMask
from tui.clip import Clip
from tui.event_search import time_complaint, time_fields, typed_time
from tui.mask_words import EXAMPLE, NoMask, parse_masks
from tui.screens.direct_export import DirectExport
from tui.screens.export_masks import MaskField, MaskingDialog
from tui.screens.view import View
from widgets import format
from widgets.dialog import ConfirmDialog, Field, FormDialog

ENGINE, HERE = "the engine", "this console"
PASSWORD_LENGTH = 8
GAPS_SHOWN = 3
LABEL_CELLS = 17
"""Of a field in a form."""
_SECOND_US = format.SECOND_US


async def ask_export(
    view: View, clips: Sequence[Clip], *, case: str = "", name: str = "", comment: str = ""
) -> bool:
    """See above. The form comes back, as it was filled in, when the plan was not what was wanted."""
    form = ExportForm(view, tuple(clips), case)
    values: Mapping[str, str] = {"name": name, "comment": comment}
    while True:
        given = await view.app.push_screen_wait(form.dialog(values))
        if given is None:
            return False
        values = given
        if values.get("where") == HERE:
            clip = form.chosen(values)[0]
            if await DirectExport(view).ask_and_fetch(clip.camera, (clip.start_us, clip.end_us)):
                return True
            continue
        ask = form.ask(values)
        plan = await view.ask(view.desk.client.plan_export_job(ask), "export")
        if plan is None or not await _is_wanted(view, ask, plan):
            continue
        job = await view.ask(view.desk.client.start_export_job(ask), "export")
        if job is not None:
            view.say(f"export {job.name} begun: Evidence (9) shows how far it is")
            return True


class ExportForm:
    """The fields, and what they mean."""

    def __init__(self, view: View, clips: tuple[Clip, ...], case: str) -> None:
        self._clips = clips
        self._case = case
        self._desk = view.desk
        self._zone = view.desk.zone
        self._now_us = view.desk.mirror.now_us
        if len(clips) == 1:
            # Typed times are whole seconds: the clip is taken whole.
            clip = clips[0]
            start_us, end_us = clip.start_us // _SECOND_US, -(-clip.end_us // _SECOND_US)
            self._clips = (Clip(clip.camera, start_us * _SECOND_US, end_us * _SECOND_US),)
        self._masks_of = self._mask_fields()

    def _mask_fields(self) -> tuple[MaskField, ...]:
        """One for each camera; none of a case, whose stretches the engine knows."""
        cameras = dict.fromkeys(clip.camera for clip in self._clips if not self._case)
        several = len(cameras) > 1
        return tuple(
            MaskField(f"masks-{number}" if several else "masks", camera)
            for number, camera in enumerate(cameras)
        )

    async def first_us(self, values: Mapping[str, str], camera: str) -> int:
        """Of the camera's first picture in the ranges with the times typed; of their start where nothing is recorded."""
        clips = sorted(
            (clip for clip in self.chosen(values) if clip.camera == camera), key=lambda clip: clip.start_us
        )
        for clip in clips:
            try:
                timeline = await self._desk.client.timeline([camera], clip.start_us, clip.end_us)
            except WatchdeckError:  # what is drawn on says it
                break
            for row in timeline.rows:
                if row.recorded:
                    return max(row.recorded[0][0], clip.start_us)
        return clips[0].start_us

    def dialog(self, values: Mapping[str, str]) -> FormDialog:
        title = f"Export {self._what()}"
        return MaskingDialog(
            self._desk,
            title,
            self._fields(values),
            masks=self._masks_of,
            when=self._mask_time,
            first=self.first_us,
            check=self._complaint,
        )

    def _what(self) -> str:
        if self._case:
            return f"case {self._case}"
        if len(self._clips) == 1:
            return self._clips[0].camera
        return f"{len(self._clips)} ranges"

    def _fields(self, values: Mapping[str, str]) -> list[Field]:
        def field(key: str, label: str, otherwise: str = "", **more: object) -> Field:
            return Field(key, label, values.get(key, otherwise), **more)  # type: ignore[arg-type]

        fields = []
        if len(self._clips) == 1:
            clip = self._clips[0]
            times = time_fields(clip.start_us, clip.end_us, self._now_us, self._zone)
            fields += [
                field(each.key, each.label, each.value, hint=each.hint, check=each.check, is_required=True)
                for each in times
            ]
            fields.append(field("where", "Made by", ENGINE, kind="choice", choices=(ENGINE, HERE)))
        fields += [
            field("name", "Name", hint="of the export; empty = camera and time"),
            field("comment", "Why", hint="goes into the report and the manifest"),
            field("password", "Password", kind="password", hint="empty = none; else one ZIP with AES-256"),
            field("again", "Password again", kind="password"),
        ]
        several = len(self._masks_of) > 1
        for mask in self._masks_of:
            # Both ends of a name: it is often the last word that tells cameras apart.
            name = format.shorten_middle(mask.camera, LABEL_CELLS - len("Masks "), self._desk.glyphs.ellipsis)
            label = f"Masks {name}" if several else "Masks"
            fields.append(field(mask.key, label, hint=f"f4 draws, or {EXAMPLE}"))
        fields.append(field("audio", "Audio", "yes", kind="switch"))
        if len(self._clips) == 1:
            fields.append(field("report", "Report", "yes", kind="switch"))
        return fields

    def _complaint(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        if "from" in values:
            for key in ("from", "to"):
                if typed_time(values[key], self._now_us, self._zone) is None:
                    return key, "a time is needed"
            if (complaint := time_complaint(values, self._now_us, self._zone)) is not None:
                return complaint
        if values["password"] and len(values["password"]) < PASSWORD_LENGTH:
            return "password", f"a password has at least {PASSWORD_LENGTH} characters"
        if values["password"] != values["again"]:
            return "again", "the two passwords differ"
        for mask in self._masks_of:
            try:
                self._masks(values, mask.camera)
            except NoMask as error:
                return mask.key, str(error)
        if values.get("where") == HERE:
            for key in ("password", *(mask.key for mask in self._masks_of)):
                if values[key].strip(" ;"):
                    return key, "only an export made by the engine has this"
            if values["audio"] != "yes":
                return "audio", "only an export made by the engine leaves it out"
        return None

    def _masks(self, values: Mapping[str, str], camera: str) -> tuple[PrivacyMask, ...]:
        """Raises NoMask."""
        key = next((mask.key for mask in self._masks_of if mask.camera == camera), "")
        return parse_masks(values.get(key, ""), self._mask_time)

    def _mask_time(self, text: str) -> int | None:
        """A bare clock time of a mask is on the day of the footage."""
        return typed_time(text, self._clips[0].start_us if self._clips else self._now_us, self._zone)

    def chosen(self, values: Mapping[str, str]) -> tuple[Clip, ...]:
        """The ranges, with the times typed."""
        if "from" not in values:
            return self._clips
        clip = self._clips[0]
        times = []
        for key, before_us in (("from", clip.start_us), ("to", clip.end_us)):
            # What was left as it stood means the same moment, also in an hour that comes twice.
            is_same = values[key] == format.local_time(before_us, self._zone)
            typed_us = None if is_same else typed_time(values[key], self._now_us, self._zone)
            times.append(before_us if typed_us is None else typed_us)
        return (Clip(clip.camera, times[0], times[1]),)

    def ask(self, values: Mapping[str, str]) -> ExportAsk:
        return ExportAsk(
            ranges=tuple(
                ExportRange(
                    camera=clip.camera,
                    start_us=clip.start_us,
                    end_us=clip.end_us,
                    masks=self._masks(values, clip.camera),
                )
                for clip in self.chosen(values)
            ),
            case=self._case,
            name=values["name"].strip(),
            comment=values["comment"].strip(),
            password=values["password"],
            with_audio=values["audio"] == "yes",
            with_report=values.get("report", "yes") == "yes",
        )


async def _is_wanted(view: View, ask: ExportAsk, plan: ExportPlanView) -> bool:
    """The plan in words; an impossible one can only be read."""
    text = plan_text(view, ask, plan)
    question = ConfirmDialog(
        "Export this?" if plan.is_possible else "This cannot be exported",
        text,
        confirm="Export" if plan.is_possible else "OK",
        cancel="Back",
        is_destructive=not plan.is_possible,
    )
    is_confirmed = await view.app.push_screen_wait(question)
    return bool(is_confirmed) and plan.is_possible


def plan_text(view: View, ask: ExportAsk, plan: ExportPlanView) -> str:
    """Size, room, gaps, what is missing, and what makes it slow."""
    zone = view.desk.zone
    found = [each for each in plan.ranges if not each.trouble]
    lines = []
    if len(plan.ranges) == 1 and found:
        only = found[0]
        first, last = format.local_time(only.start_us, zone), format.local_time(only.end_us, zone)
        lines.append(f"{only.camera}, {first} to {last}")
    else:
        total_us = sum(each.end_us - each.start_us for each in found)
        lines.append(
            f"{len(found)} of {format.plural(len(plan.ranges), 'range')}, {format.clock_length(total_us)}"
        )
    about = "about " if any(each.is_masked for each in plan.ranges) else ""
    lines.append(f"{about}{format.decimal_bytes(plan.bytes)} to {plan.folder}")
    lines.append(f"({format.decimal_bytes(plan.free_bytes)} may be used there)")
    gaps = [
        (each.camera, before[1], after[0])
        for each in found
        for before, after in zip(each.parts, each.parts[1:], strict=False)
    ]
    for camera, start_us, end_us in gaps[:GAPS_SHOWN]:
        length = format.duration(end_us - start_us)
        lines.append(f"gap: {camera} {format.local_time(start_us, zone)}, {length}")
    if len(gaps) > GAPS_SHOWN:
        lines.append(f"and {format.plural(len(gaps) - GAPS_SHOWN, 'more gap')}")
    for each in [each for each in plan.ranges if each.trouble][:GAPS_SHOWN]:
        lines.append(f"not there: {each.trouble}")
    if any(each.is_masked for each in plan.ranges):
        lines.append("Masked ranges are encoded anew: this takes a while.")
    if ask.password:
        lines.append("One ZIP with a password: nobody can open it without.")
    if plan.trouble:
        lines.append(plan.trouble)
    return "\n".join(lines)
