"""The form of each action of an alarm rule (manual rows AA-02 ... AA-10, HR-01, HR-02), and why one cannot be chosen (AA-06).

    action = await ActionDialogs(app, desk, draft, kinds, abilities).ask("mail", before)      AlarmAction | None

What the engine hides (addresses of push services, values of headers) is typed as dots; left empty it stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from textual.app import App

from engine.wire_alarm_rules import (
    EVENT_SECONDS_MAX,
    AlarmAction,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
    TriggerKind,
)
from engine.wire_sources import AlarmSettings
from tui.alarm_wording import from_one_line, is_secret, to_one_line
from tui.camera_abilities import NO_ONVIF, CameraAbilities
from tui.desk import Desk
from tui.rule_draft import RuleDraft
from widgets import format
from widgets.dialog import Field, FormDialog
from widgets.pick_dialog import Option, PickDialog

TEMPLATE_HELP = "{alarm} {kind} {source} {text} {time} {severity} {count} {station} {id} are filled in; \\n begins a line."
MOST_HEADERS = 20
WHERE = ("console", "box", "both")


def refusal(
    kind: str, draft: RuleDraft, kinds: Mapping[str, TriggerKind], settings: AlarmSettings, cameras: int
) -> str:
    """Why an action cannot be chosen now; empty = it can."""
    if kind == "mail" and (settings.mail is None or not settings.mail.host):
        return "no mail server yet (m sets one up)"
    if kind == "record" and not all(_can_record(trigger.kind, kinds) for trigger in draft.triggers):
        return "not when recording stops: there is nothing to record"
    if kind in ("live", "record", "bookmark", "preset", "output") and not cameras:
        return "there is no camera"
    return ""


def _can_record(kind: str, kinds: Mapping[str, TriggerKind]) -> bool:
    known = kinds.get(kind)
    return known is None or known.can_record


class ActionDialogs:
    """Asks; keeps nothing."""

    def __init__(
        self,
        app: App[Any],
        desk: Desk,
        draft: RuleDraft,
        kinds: Mapping[str, TriggerKind],
        abilities: CameraAbilities,
    ) -> None:
        self._app = app
        self._desk = desk
        self._draft = draft
        self._kinds = kinds
        self._abilities = abilities

    async def ask(self, kind: str, before: AlarmAction | None = None) -> AlarmAction | None:
        """None = escape, or that nothing can do it (which was said)."""
        match kind:
            case "record":
                return await self._record(before if isinstance(before, RecordAction) else RecordAction())
            case "bookmark":
                return await self._bookmark(
                    before if isinstance(before, BookmarkAction) else BookmarkAction()
                )
            case "mail":
                return await self._mail(before if isinstance(before, MailAction) else MailAction(to=()))
            case "http":
                return await self._http(before if isinstance(before, HttpAction) else HttpAction(url=""))
            case "push":
                return await self._push(before if isinstance(before, PushAction) else PushAction(url=""))
            case "live":
                return await self._live(before if isinstance(before, LiveAction) else LiveAction())
            case "sound":
                return await self._sound(before if isinstance(before, SoundAction) else SoundAction())
            case "preset":
                return await self._preset(before if isinstance(before, PresetAction) else None)
            case "output":
                return await self._output(before if isinstance(before, OutputAction) else None)
        raise ValueError(f"no action is called {kind!r}")

    # -- cameras -----------------------------------------------------------------------------------------

    async def _cameras(self, title: str, chosen: tuple[str, ...]) -> tuple[str, ...] | None:
        """() = the camera the event is about; some must be picked where events are about none."""
        names = [camera.name for camera in self._desk.mirror.cameras]
        options = [Option(name, name) for name in names]
        options += [Option(name, name, "does not exist now") for name in chosen if name not in names]
        is_about_one = any(
            kind is None or kind.source == "camera"
            for kind in (self._kinds.get(trigger.kind) for trigger in self._draft.triggers)
        )
        text = "None picked: the camera the event is about." if is_about_one else ""
        needs = "" if is_about_one else "pick its cameras: no trigger of this rule is about a camera"
        return await self._app.push_screen_wait(
            PickDialog(title, options, text=text, is_many=True, chosen=chosen, submit="Go on", needs=needs)
        )

    async def _record(self, before: RecordAction) -> AlarmAction | None:
        while True:
            cameras = await self._cameras("Record which cameras?", before.cameras)
            if cameras is None:
                return None
            before = replace(before, cameras=cameras)
            values = await self._form(
                "Record",
                [
                    _number("pre", "Before, seconds", before.pre_event_s, 0, EVENT_SECONDS_MAX),
                    _number("post", "After, seconds", before.post_event_s, 0, EVENT_SECONDS_MAX),
                ],
                "Of cameras that record anyway nothing more is recorded.",
            )
            if values is not None:
                return replace(before, pre_event_s=int(values["pre"]), post_event_s=int(values["post"]))

    async def _bookmark(self, before: BookmarkAction) -> AlarmAction | None:
        while True:
            cameras = await self._cameras("Bookmark which cameras?", before.cameras)
            if cameras is None:
                return None
            before = replace(before, cameras=cameras)
            days = "" if before.preserve_days is None else str(before.preserve_days)
            values = await self._form(
                "Bookmark",
                [
                    _number("length", "Length, seconds", before.length_s, 1, 3600),
                    Field("days", "Keep, days", days, hint="empty = as the preferences say", check=_days),
                ],
                "The clip is never recycled while it is kept.",
            )
            if values is not None:
                kept = int(values["days"]) if values["days"].strip() else None
                return replace(before, length_s=int(values["length"]), preserve_days=kept)

    async def _live(self, before: LiveAction) -> AlarmAction | None:
        cameras = await self._cameras("Show which cameras in the alarm tab?", before.cameras)
        return None if cameras is None else replace(before, cameras=cameras)

    # -- messages ----------------------------------------------------------------------------------------

    async def _mail(self, before: MailAction) -> AlarmAction | None:
        values = await self._form(
            "E-mail",
            [
                Field(
                    "to",
                    "To",
                    ", ".join(before.to),
                    hint="guard@example.org, chief@example.org",
                    is_required=True,
                    check=_addresses,
                ),
                Field("subject", "Subject", to_one_line(before.subject)),
                Field("body", "Text", to_one_line(before.body)),
                Field("snapshot", "With a snapshot", _yes(before.has_snapshot), kind="switch"),
            ],
            TEMPLATE_HELP,
        )
        if values is None:
            return None
        return MailAction(
            to=_split(values["to"]),
            subject=from_one_line(values["subject"]),
            body=from_one_line(values["body"]),
            has_snapshot=values["snapshot"] == "yes",
        )

    async def _http(self, before: HttpAction) -> AlarmAction | None:
        fields = [
            Field("url", "Address", before.url, hint="https://...", is_required=True, check=_http_url),
            Field("method", "Method", before.method, kind="choice", choices=("POST", "GET")),
            Field("content", "Content", to_one_line(before.content)),
            Field("type", "Content type", before.content_type),
        ]
        headers = [*before.headers, ("", "")][:MOST_HEADERS]
        for number, (name, value) in enumerate(headers):
            hint = "unchanged" if is_secret(value) else ""
            fields.append(
                Field(f"name{number}", f"Header {number + 1}", name, hint="for example Authorization")
            )
            fields.append(Field(f"value{number}", "  its value", "", kind="password", hint=hint))
        values = await self._form(
            "HTTP request",
            fields,
            TEMPLATE_HELP + " {text:json} and {text:url} are quoted; {{ and }} are braces.",
            check=lambda values: _header_complaint(values, before.headers),
        )
        if values is None:
            return None
        return HttpAction(
            url=values["url"].strip(),
            method=values["method"],
            content=from_one_line(values["content"]),
            content_type=values["type"].strip(),
            headers=_headers(values, before.headers),
        )

    async def _push(self, before: PushAction) -> AlarmAction | None:
        is_kept = bool(before.url)
        values = await self._form(
            "Push notification",
            [
                Field(
                    "url",
                    "Address",
                    "",
                    kind="password",
                    hint=f"unchanged: {before.url.partition(':')[0]}"
                    if is_kept
                    else "for example ntfy://...",
                    is_required=not is_kept,
                    check=_push_url,
                ),
                Field("title", "Title", to_one_line(before.title)),
                Field("body", "Text", to_one_line(before.body)),
            ],
            "An Apprise address: it holds keys and is not shown again. " + TEMPLATE_HELP,
        )
        if values is None:
            return None
        return PushAction(
            url=values["url"].strip() or before.url,
            title=from_one_line(values["title"]),
            body=from_one_line(values["body"]),
        )

    async def _sound(self, before: SoundAction) -> AlarmAction | None:
        values = await self._form(
            "Sound",
            [
                Field(
                    "pattern",
                    "Pattern",
                    str(before.pattern),
                    kind="choice",
                    choices=tuple(str(number) for number in range(1, 6)),
                ),
                Field("where", "Where", before.where, kind="choice", choices=WHERE),
            ],
            "console: consoles ring their terminal; box: the beeper of the box.",
        )
        if values is None:
            return None
        return SoundAction(pattern=int(values["pattern"]), where=values["where"])

    # -- what cameras can do -----------------------------------------------------------------------------

    async def _preset(self, before: PresetAction | None) -> AlarmAction | None:
        found = self._abilities.with_presets()
        while True:
            camera = await self._able(
                "Which camera turns?", found, "presets", before.camera if before is not None else ""
            )
            if camera is None:
                return None
            options = [Option(token, name or token, token) for token, name in found[camera]]
            chosen = (before.preset,) if before is not None else ()
            picked = await self._app.push_screen_wait(
                PickDialog(f"To which preset does {camera} turn?", options, chosen=chosen)
            )
            if picked:
                return PresetAction(camera=camera, preset=picked[0])

    async def _output(self, before: OutputAction | None) -> AlarmAction | None:
        found = self._abilities.with_outputs()
        while True:
            camera = await self._able(
                "Output of which camera?", found, "outputs", before.camera if before is not None else ""
            )
            if camera is None:
                return None
            tokens = found[camera]
            current = before if before is not None and before.camera == camera else None
            chosen = current.output if current is not None else tokens[0]
            length = "15" if current is None else str(current.duration_s or "")
            values = await self._form(
                f"Output of {camera}",
                [
                    Field("output", "Output", chosen, kind="choice", choices=tokens),
                    Field(
                        "on",
                        "Switch",
                        "off" if current is not None and not current.is_on else "on",
                        kind="choice",
                        choices=("on", "off"),
                    ),
                    Field("length", "Then back, seconds", length, hint="empty = it stays", check=_length),
                ],
                "Without a time several alarms in a row may leave it in a state nobody expects.",
            )
            if values is not None:
                return OutputAction(
                    camera=camera,
                    output=values["output"],
                    is_on=values["on"] == "on",
                    duration_s=int(values["length"]) if values["length"].strip() else None,
                )

    async def _able(
        self, title: str, found: Mapping[str, Sequence[object]], what: str, chosen: str
    ) -> str | None:
        """AA-06: cameras without are hidden, and counted."""
        options = [
            Option(camera, camera, format.plural(len(each), what.removesuffix("s")))
            for camera, each in found.items()
        ]
        words = hidden_words(self._desk, self._abilities, found, what)
        picked = await self._app.push_screen_wait(PickDialog(title, options, text=words, chosen=(chosen,)))
        return picked[0] if picked else None

    async def _form(
        self,
        title: str,
        fields: list[Field],
        text: str,
        check: Any = None,
    ) -> dict[str, str] | None:
        return await self._app.push_screen_wait(
            FormDialog(title, fields, submit="Keep", text=text, check=check)
        )


def hidden_words(desk: Desk, abilities: CameraAbilities, found: Mapping[str, object], what: str) -> str:
    """`3 cameras without outputs hidden (2 with ONVIF off, 1 did not answer)`; empty when none is."""
    hidden = [camera.name for camera in desk.mirror.cameras if camera.name not in found]
    if not hidden:
        return ""
    troubles = [abilities.troubles[name] for name in hidden if name in abilities.troubles]
    off = sum(trouble == NO_ONVIF for trouble in troubles)
    reasons = [f"{off} with ONVIF off"] if off else []
    if silent := len(troubles) - off:
        reasons.append(f"{silent} did not answer")
    why = f" ({', '.join(reasons)})" if reasons else ""
    return f"{format.plural(len(hidden), 'camera')} without {what} hidden{why}."


# -- fields ------------------------------------------------------------------------------------------------


def _number(key: str, label: str, value: int, least: int, most: int) -> Field:
    def check(text: str) -> str:
        is_right = text.strip().isdecimal() and least <= int(text) <= most
        return "" if is_right else f"{label.lower()}: {least} to {most}"

    return Field(key, label, str(value), is_required=True, check=check)


def _days(text: str) -> str:
    text = text.strip()
    return "" if not text or (text.isdecimal() and 1 <= int(text) <= 36_500) else "days: 1 to 36500, or empty"


def _length(text: str) -> str:
    text = text.strip()
    return (
        "" if not text or (text.isdecimal() and 1 <= int(text) <= 86_400) else "seconds: 1 to 86400, or empty"
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace(";", ",").split(",") if part.strip())


def _addresses(text: str) -> str:
    wrong = next((each for each in _split(text) if "@" not in each.strip("@") or " " in each), None)
    return "" if wrong is None else f"{wrong!r} is no e-mail address"


def _http_url(text: str) -> str:
    is_right = text.strip().startswith(("http://", "https://"))
    return "" if is_right else "the address begins with http:// or https://"


def _push_url(text: str) -> str:
    return (
        ""
        if not text.strip() or "://" in text
        else "an Apprise address looks like ntfy://topic or tgram://..."
    )


def _headers(values: Mapping[str, str], before: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """An empty value of a header that was there stays as it was; an empty name takes it off."""
    known = dict(before)
    headers = []
    for number in range(MOST_HEADERS):
        name = values.get(f"name{number}", "").strip()
        if name:
            headers.append((name, values[f"value{number}"] or known.get(name, "")))
    return tuple(headers)


def _header_complaint(
    values: Mapping[str, str], before: tuple[tuple[str, str], ...]
) -> tuple[str, str] | None:
    known = dict(before)
    for number in range(MOST_HEADERS):
        name = values.get(f"name{number}", "").strip()
        if name and not (values[f"value{number}"] or known.get(name)):
            return f"value{number}", f"header {name} has no value"
    return None
