"""Dialogs about one camera: add, edit, and the result of a test. Passwords are typed hidden and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from engine import wire
from engine.client import WatchdeckError
from engine.wire_alarm_rules import EVENT_SECONDS_MAX
from tui.desk import Desk
from tui.schedule_wording import schedule_words
from tui.screens.camera_text import test_lines
from tui.work import start
from widgets.choice import Choice
from widgets.dialog import Field, FormDialog
from widgets.dialog_frame import DialogFrame

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "file")
TRANSPORTS = ("auto", "tcp", "udp")
SCHEDULE = "schedule"
MODES = ("continuous", SCHEDULE, "events", "off")


def url_complaint(url: str) -> str:
    """What is wrong with an address; empty = nothing."""
    try:
        parts = urlsplit(url.strip())
    except ValueError as error:
        return f"the address cannot be read: {error}"
    if parts.scheme not in SCHEMES:
        return "the address must begin with rtsp:// (or rtsps, rtmp, http, https, file)"
    return "" if parts.hostname or parts.scheme == "file" else "the address names no host"


def live_complaint(url: str) -> str:
    """As url_complaint; a camera may have no second stream."""
    return url_complaint(url) if url.strip() else ""


def seconds_complaint(value: str) -> str:
    """What is wrong with a time before or after an event; empty = nothing."""
    is_right = value.strip().isascii() and value.strip().isdecimal() and int(value) <= EVENT_SECONDS_MAX
    return "" if is_right else f"seconds, from 0 to {EVENT_SECONDS_MAX}"


def camera_fields(desk: Desk, camera: wire.CameraView | None) -> list[Field]:
    """The form, empty or as the camera is."""
    groups = tuple(group.name for group in desk.mirror.groups) or ("main",)
    modes = MODES if camera is None or camera.mode in MODES else (*MODES, camera.mode)
    secret = "unchanged" if camera is not None and camera.has_password else ""
    return [
        Field("name", "Name", camera.name if camera else "", hint="for example driveway", is_required=True),
        Field(
            "url",
            "Address",
            camera.url if camera else "",
            hint="for example rtsp://192.0.2.10/stream1",
            is_required=True,
            check=url_complaint,
        ),
        Field("user", "User", camera.user if camera else ""),
        Field("password", "Password", "", kind="password", hint=secret),
        Field("group", "Group", camera.group if camera else groups[0], kind="choice", choices=groups),
        Field(
            "transport",
            "Transport",
            camera.transport if camera else "auto",
            kind="choice",
            choices=TRANSPORTS,
        ),
        Field(
            "live_url",
            "Live address",
            camera.live_url if camera else "",
            hint="its smaller stream, if it has one",
            check=live_complaint,
        ),
        Field("mode", "Record", camera.mode if camera else "continuous", kind="choice", choices=modes),
        Field(
            "pre_event_s",
            "Before an event",
            str(camera.pre_event_s if camera else 5),
            hint="seconds, mode events",
            check=seconds_complaint,
        ),
        Field(
            "post_event_s",
            "After an event",
            str(camera.post_event_s if camera else 5),
            hint="seconds, mode events",
            check=seconds_complaint,
        ),
        Field("record_audio", "Audio too", _yes(camera.record_audio if camera else True), kind="switch"),
        Field("verify_tls", "Check certificate", _yes(camera.verify_tls if camera else False), kind="switch"),
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def camera_edit(
    camera: wire.CameraView, values: Mapping[str, str], schedule: wire.ScheduleMessage | None = None
) -> wire.CameraEdit | None:
    """Only what differs; None when nothing does."""
    changes: dict[str, Any] = {}
    for key in ("name", "url", "live_url", "user", "group", "transport", "mode"):
        value = values[key].strip()
        if value != getattr(camera, key):
            changes[key] = value
    for key in ("record_audio", "verify_tls"):
        if (values[key] == "yes") is not getattr(camera, key):
            changes[key] = values[key] == "yes"
    for key in ("pre_event_s", "post_event_s"):
        if int(values[key]) != getattr(camera, key):
            changes[key] = int(values[key])
    if values["password"]:
        changes["password"] = values["password"]
    if values["mode"] == SCHEDULE and schedule is not None and schedule != camera.schedule:
        changes["schedule"] = schedule
    return wire.CameraEdit(**changes) if changes else None


class CameraForm(FormDialog):
    """Add (camera None) or edit; tests first, saves second, and stays open with the reason when either fails.

    Dismissed with the form's values after saving.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "times", "times", show=False)]

    def __init__(self, desk: Desk, camera: wire.CameraView | None = None) -> None:
        title = "Add camera" if camera is None else f"Edit camera {camera.name}"
        super().__init__(
            title,
            camera_fields(desk, camera),
            submit="Test and save",
            is_closing=False,
            text="f4 paints the times of a camera that records by schedule.",
        )
        self._desk = desk
        self._camera = camera
        self._schedule = camera.schedule if camera is not None else None
        self._untested: dict[str, str] | None = None
        """Values whose test failed: the same again are saved without one."""

    @on(FormDialog.Submitted)
    def _save(self, event: FormDialog.Submitted) -> None:
        event.stop()
        start(self, partial(self._test_and_save, event.values), "save")

    def action_times(self) -> None:
        """RO-03: choosing the times is choosing the mode."""
        start(self, self._paint, "save")

    async def _paint(self) -> bool:
        from tui.screens.schedule_dialog import ScheduleDialog

        name = self.values["name"].strip() or "the camera"
        schedule = await self.app.push_screen_wait(
            ScheduleDialog(self._desk, f"When {name} records", self._schedule)
        )
        if schedule is None:
            return False
        self._schedule = schedule
        self.query_one("#field-mode", Choice).value = SCHEDULE
        self.show_error("", "")
        self._say(f"records {schedule_words(schedule)}")
        return True

    async def _test_and_save(self, values: dict[str, str]) -> None:
        if values["mode"] == SCHEDULE and self._schedule is None and not await self._paint():
            self.show_error("mode", "paint its times (f4), or choose another mode")
            return
        try:
            if values != self._untested and self._needs_test(values):
                self._say("testing the camera ...")
                reply = await self._desk.client.test_camera(_test_of(values))
                if not reply.ok:
                    self._untested = values
                    remedy = f" {reply.remedy}." if reply.remedy else ""
                    self.show_error("", f"{reply.what}.{remedy} f10 again saves it as it is.")
                    return
            self._say("saving ...")
            await self._store(values)
        except WatchdeckError as error:
            self.show_error("name" if error.code == "already_exists" else "", str(error))
            return
        self.dismiss(values)

    def _say(self, words: str) -> None:
        self.query_one("#error", Label).update(words)

    def _needs_test(self, values: Mapping[str, str]) -> bool:
        """An edit that keeps the password cannot be tested here: only the engine has it."""
        if values["mode"] == "off":
            return False
        camera = self._camera
        if camera is None:
            return True
        keys = ("url", "user", "transport")
        is_other = bool(values["password"]) or any(
            values[key].strip() != getattr(camera, key) for key in keys
        )
        return is_other and (bool(values["password"]) or not camera.has_password)

    async def _store(self, values: Mapping[str, str]) -> None:
        client = self._desk.client
        if self._camera is None:
            await client.add_camera(
                wire.CameraAdd(
                    name=values["name"].strip(),
                    url=values["url"].strip(),
                    live_url=values["live_url"].strip(),
                    user=values["user"].strip(),
                    password=values["password"],
                    group=values["group"],
                    transport=values["transport"],
                    mode=values["mode"],
                    schedule=self._schedule if values["mode"] == SCHEDULE else None,
                    record_audio=values["record_audio"] == "yes",
                    verify_tls=values["verify_tls"] == "yes",
                    pre_event_s=int(values["pre_event_s"]),
                    post_event_s=int(values["post_event_s"]),
                )
            )
        elif (edit := camera_edit(self._camera, values, self._schedule)) is not None:
            await client.edit_camera(self._camera.uuid, edit)


def _test_of(values: Mapping[str, str]) -> wire.CameraTest:
    return wire.CameraTest(
        url=values["url"].strip(),
        user=values["user"].strip(),
        password=values["password"],
        transport=values["transport"],
        verify_tls=values["verify_tls"] == "yes",
    )


class CameraTestDialog(ModalScreen[None]):
    """Tests an existing camera while it is open; esc leaves at any time."""

    DEFAULT_CSS = "CameraTestDialog { align: center middle; background: $background; }"
    BINDINGS = [Binding("escape,enter,q,t", "leave", "Close", show=False)]

    def __init__(self, desk: Desk, camera: str) -> None:
        super().__init__()
        self._desk = desk
        self._camera = camera

    def compose(self) -> ComposeResult:
        with DialogFrame(f"Test of {self._camera}", "esc close"):
            yield Static("connecting ...", id="result", classes="dialog--text", markup=False)

    def on_mount(self) -> None:
        start(self, self._test, "test")

    async def _test(self) -> None:
        try:
            reply = await self._desk.client.test_camera(wire.CameraTest(camera=self._camera))
        except WatchdeckError as error:
            lines = [Content.styled(f"! {error}", "bold $text-error")]
        else:
            lines = test_lines(reply)
        self.query_one("#result", Static).update(Content("\n").join(lines))

    def action_leave(self) -> None:
        self.dismiss(None)
