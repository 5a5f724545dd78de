"""Settings that alarms need: the mail server (row SM-01), ports for messages from outside (TM-01, TM-02), days of preservation (PR-17 to PR-19).

Each form saves itself and stays open with the engine's reason when it is refused. Passwords and tokens are typed as dots; left empty
they stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from msgspec.structs import asdict
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Label

from engine.client import PLACEHOLDER, WatchdeckError
from engine.wire_alarm_rules import ActionState
from engine.wire_sources import (
    AlarmSettings,
    ListenSettings,
    ListenView,
    MailSettings,
    PreservationSettings,
)
from tui.desk import Desk
from tui.screens.help import PageScreen
from tui.work import is_under_way, start
from widgets import format
from widgets.dialog import Field, FormDialog

SECURITIES = ("starttls", "tls", "none")
DAYS = {
    "alarms_days": "Alarms, days",
    "log_major_days": "Log, major, days",
    "log_normal_days": "Log, normal, days",
    "log_minor_days": "Log, minor, days",
    "bookmark_days": "Bookmarks, days",
}


class SettingsForm(FormDialog):
    """Sends one part of the settings. Dismissed with its values after saving."""

    def __init__(self, desk: Desk, title: str, fields: list[Field], text: str) -> None:
        super().__init__(title, fields, text=text, is_closing=False)
        self.desk = desk

    def settings(self, values: Mapping[str, str]) -> AlarmSettings:
        """The part that this form is about."""
        raise NotImplementedError

    @on(FormDialog.Submitted)
    def _submitted(self, event: FormDialog.Submitted) -> None:
        event.stop()
        start(self, partial(self._save, event.values), "save")

    async def _save(self, values: dict[str, str]) -> None:
        if await self.send(values):
            self.dismiss(values)

    async def send(self, values: Mapping[str, str]) -> bool:
        """False after saying why not."""
        try:
            await self.desk.client.edit_alarm_settings(self.settings(values))
        except WatchdeckError as error:
            self.show_error(next((key for key in values if key in error.what), ""), str(error))
            return False
        return True

    def say(self, words: str) -> None:
        self.query_one("#error", Label).update(words)


class MailForm(SettingsForm):
    """F5 saves and sends a message, so that what is tested is what is kept."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f5", "test", "test", show=False)]

    def __init__(self, desk: Desk, settings: AlarmSettings) -> None:
        mail = settings.mail or MailSettings()
        self._before = mail
        fields = [
            Field("host", "Server", mail.host, hint="empty = no mail"),
            Field("port", "Port", str(mail.port), check=_port),
            Field("security", "Security", mail.security, kind="choice", choices=SECURITIES),
            Field("user", "User", mail.user),
            Field("password", "Password", kind="password", hint="unchanged" if mail.password else ""),
            Field("sender", "Sender", mail.sender, hint="nvr@example.org"),
            Field("verify_tls", "Check certificate", "yes" if mail.verify_tls else "no", kind="switch"),
            Field("to", "Test message to", hint="then f5"),
        ]
        super().__init__(
            desk, "Mail server", fields, "For alarms that send e-mail. f5 saves and sends a test message."
        )

    def settings(self, values: Mapping[str, str]) -> AlarmSettings:
        return AlarmSettings(
            mail=MailSettings(
                host=values["host"].strip(),
                port=int(values["port"]),
                security=values["security"],
                user=values["user"].strip(),
                password=values["password"] or (PLACEHOLDER if self._before.password else ""),
                sender=values["sender"].strip(),
                verify_tls=values["verify_tls"] == "yes",
            )
        )

    def action_test(self) -> None:
        start(self, self._test, "save")

    async def _test(self) -> None:
        values = self.values
        if not values["to"].strip():
            self.show_error("to", "to which address?")
            return
        if _port(values["port"]):
            self.show_error("port", _port(values["port"]))
            return
        self.show_error("", "saving ...")
        if not await self.send(values):
            return
        self.say("sending ...")
        try:
            result = await self.desk.client.test_mail(values["to"].strip())
        except WatchdeckError as error:
            self.show_error("", str(error))
            return
        is_done = result.state is ActionState.DONE
        self.say(f"{'sent' if is_done else 'not sent'}: {result.text}" if result.text else str(result.state))


class ListenForm(SettingsForm):
    """TM-01: ports are closed until one is given."""

    def __init__(self, desk: Desk, settings: AlarmSettings) -> None:
        listen = settings.listen or ListenSettings()
        self._before = listen
        fields = [
            Field("tcp_port", "TCP port", str(listen.tcp_port), hint="0 = closed; 3444", check=_port_or_none),
            Field("tcp_address", "  on address", listen.tcp_address, hint="0.0.0.0 = all"),
            Field("webhook_port", "Webhook port", str(listen.webhook_port), check=_port_or_none),
            Field("webhook_address", "  on address", listen.webhook_address),
            Field(
                "webhook_token",
                "  its token",
                kind="password",
                hint="unchanged" if listen.webhook_token else "needed for a webhook port",
            ),
        ]
        text = "Messages from outside that rules may listen for. 0 = closed. `:heard` shows the last ten."
        super().__init__(desk, "Ports for messages", fields, text)

    def settings(self, values: Mapping[str, str]) -> AlarmSettings:
        return AlarmSettings(
            listen=ListenSettings(
                tcp_port=int(values["tcp_port"] or 0),
                tcp_address=values["tcp_address"].strip(),
                webhook_port=int(values["webhook_port"] or 0),
                webhook_address=values["webhook_address"].strip(),
                webhook_token=values["webhook_token"] or (PLACEHOLDER if self._before.webhook_token else ""),
            )
        )


class PreservationForm(SettingsForm):
    """How long alarms, the log and bookmarks are kept."""

    def __init__(self, desk: Desk, settings: AlarmSettings) -> None:
        before = asdict(settings.preservation or PreservationSettings())
        fields = [
            Field(
                key,
                label,
                "" if before[key] is None else str(before[key]),
                hint="empty = for ever" if key == "bookmark_days" else "",
                check=partial(_days, can_be_empty=key == "bookmark_days"),
            )
            for key, label in DAYS.items()
        ]
        super().__init__(
            desk, "Preservation", fields, "What is older is removed; a shorter time counts at once."
        )

    def settings(self, values: Mapping[str, str]) -> AlarmSettings:
        numbers = {key: int(values[key]) if values[key].strip() else None for key in DAYS}
        return AlarmSettings(preservation=PreservationSettings(**numbers))  # type: ignore[arg-type]


class HeardScreen(PageScreen):
    """TM-02: the last ten messages, followed while it is open: send one with telnet and see it come."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        super().__init__("Messages heard", [Content("asking the engine ...")], 10)

    def on_mount(self) -> None:
        self.set_interval(1.0, self._ask)
        self._ask()

    def _ask(self) -> None:
        if not is_under_way(self, "heard"):
            start(self, self._fetch, "heard")

    async def _fetch(self) -> None:
        try:
            view = await self._desk.client.listening()
        except WatchdeckError as error:
            self.show_lines([Content.styled(f"! {error}", "bold $text-error")])
            return
        self.show_lines(heard_lines(view, self._desk))


def heard_lines(view: ListenView, desk: Desk) -> list[Content]:
    """Ports, then messages with the rules they met."""
    ports = ", ".join(
        f"{name} {'open' if is_open else 'closed'}"
        for name, is_open in (("TCP port", view.is_tcp_open), ("webhook port", view.is_webhook_open))
    )
    lines = [Content.styled(ports, "bold")]
    if view.trouble:
        lines.append(Content.styled(f"! {view.trouble}", "bold $text-error"))
    if view.dropped:
        lines.append(Content.styled(f"{format.count(view.dropped)} too fast, dropped", "$text-warning"))
    lines.append(Content(""))
    for message in view.heard:
        met = f"raised {', '.join(message.matched)}" if message.matched else "met no rule"
        lines.append(
            Content.assemble(
                (format.local_clock(message.time_us, desk.zone).ljust(10), "dim"),
                (format.harmless(message.text), "bold"),
                f"  from {message.peer}, ",
                (met, "$text-success" if message.matched else "dim"),
            )
        )
    return [*lines, Content("nothing yet")] if not view.heard else lines


def _port(text: str) -> str:
    text = text.strip()
    return "" if text.isdecimal() and 1 <= int(text) <= 65_535 else "a port: 1 to 65535"


def _port_or_none(text: str) -> str:
    return "" if text.strip() in ("", "0") else _port(text)


def _days(text: str, *, can_be_empty: bool = False) -> str:
    text = text.strip()
    is_right = text.isdecimal() and 1 <= int(text) <= 36_500
    return "" if is_right or (can_be_empty and not text) else "days: 1 to 36500"
