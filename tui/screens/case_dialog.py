"""Puts footage into a case: picks one or begins a new one, with a comment. For every screen that has a clip or a range. RS-04.

    await add_to_case(view, [Clip(camera, start_us, end_us), ...])            asks which case and for a comment
    await add_to_case(view, clips, comment="he comes")                        the comment filled in already

Call it in a worker (`tui.work.start`) after `view.may_change()`. The case, or None when nothing was added;
of several clips one that is refused does not keep the others out. What is in a case is kept
from recycling; `z` takes the adding back.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.client import WatchdeckError
from engine.wire_evidence import CaseAdd, CaseItemAdd, CaseView
from tui.clip import Clip
from tui.desk import Undo
from tui.screens.view import View
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

NEW_CASE = "new"


async def add_to_case(view: View, clips: Sequence[Clip], *, comment: str = "") -> CaseView | None:
    """See above."""
    cases = await view.ask(view.desk.client.cases(), "cases")
    if cases is None or not clips:
        return None
    chosen: tuple[str, ...] | None = (NEW_CASE,)
    if cases:
        chosen = await view.app.push_screen_wait(_picker(cases))
    if not chosen:
        return None
    known = next((case for case in cases if str(case.id) == chosen[0]), None)
    values = await view.app.push_screen_wait(_form(view, clips, known, comment))
    if values is None:
        return None
    case = known
    if case is None:
        new = CaseAdd(name=values["name"].strip(), comment=values["about"].strip())
        case = await view.ask(view.desk.client.add_case(new), f"case {new.name}")
    return None if case is None else await _add(view, case, clips, values["comment"].strip())


def _picker(cases: Sequence[CaseView]) -> PickDialog:
    options = [
        Option(str(case.id), case.name, format.plural(len(case.items), "clip"), case.comment)
        for case in cases
    ]
    options.append(Option(NEW_CASE, "a new case"))
    return PickDialog("Add to which case?", options, submit="Add")


def _form(view: View, clips: Sequence[Clip], known: CaseView | None, comment: str) -> FormDialog:
    fields = [Field("comment", "Comment", comment, hint="what is to be seen")]
    if known is None:
        fields = [
            Field("name", "Name of the case", is_required=True),
            Field("about", "About the case"),
            *fields,
        ]
    title = "New case" if known is None else f"Add to case {known.name}"
    text = f"{_words(view, clips)}\nWhat is in a case is kept from recycling."
    return FormDialog(title, fields, submit="Add", text=text)


async def _add(view: View, case: CaseView, clips: Sequence[Clip], comment: str) -> CaseView | None:
    client = view.desk.client
    before = {item.id for item in case.items}
    put: list[Clip] = []
    trouble = ""
    for clip in clips:
        item = CaseItemAdd(camera=clip.camera, start_us=clip.start_us, end_us=clip.end_us, comment=comment)
        try:
            case = await client.add_case_item(str(case.id), item)
            put.append(clip)
        except WatchdeckError as error:
            trouble = f"{clip.camera}: {error}"
    if not put:
        view.say(f"case {case.name}: {trouble}", is_error=True)
        return None
    added = [item.id for item in case.items if item.id not in before]

    async def take_back() -> bool:
        is_done = True
        for item_id in added:
            taken = client.remove_case_item(str(case.id), item_id)
            is_done = await view.carry(taken, f"case {case.name}") and is_done
        return is_done

    view.desk.undo.append(Undo(f"adding to case {case.name}", take_back))
    words = f"added to case {case.name}: {_words(view, put)} (z takes it back)"
    if trouble:
        words += f"; {len(clips) - len(put)} not, the last: {trouble}"
    view.say(words, is_error=bool(trouble))
    return case


def _words(view: View, clips: Sequence[Clip]) -> str:
    if len(clips) > 1:
        return format.plural(len(clips), "clip")
    clip = clips[0]
    when = format.recent_time(clip.start_us, view.desk.mirror.now_us, view.desk.zone)
    return f"{clip.camera} {when}, {format.duration(clip.end_us - clip.start_us)}"
