"""`watchdeck mail`, `listen`, `preservation`: what alarms need besides rules. Manual rows SM, TM, PR."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from engine.client import PLACEHOLDER, EngineClient, InvalidInput
from engine.wire_alarm_rules import ActionResult, ActionState
from engine.wire_sources import (
    AlarmSettings,
    ListenSettings,
    ListenView,
    MailSettings,
    PreservationSettings,
)
from tui.cli.cameras import given_password
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.passwords import password_from_file
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import LimitType
from widgets.format import local_time

MAIL_FAILED_EXIT = 1
_PORT = LimitType(click.IntRange(1, 65_535), none="off", stands_for=0)
_DAYS = click.IntRange(1, 36_500)
_DAYS_OR_NEVER = LimitType(_DAYS, none="never")


async def _settings(engine: EngineClient) -> tuple[MailSettings, ListenSettings, PreservationSettings]:
    found = await engine.alarm_settings()
    return (
        found.mail or MailSettings(),
        found.listen or ListenSettings(),
        found.preservation or PreservationSettings(),
    )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Raises UsageError when nothing was typed."""
    fields = {name: value for name, value in options.items() if value is not None}
    if not fields:
        raise click.UsageError("nothing to change: give an option")
    return fields


# -- mail ------------------------------------------------------------------------------------------------


@click.group()
def mail() -> None:
    """Show, change and test the mail server for alarms."""


@mail.command("show")
@json_option
@pass_session
def show_mail(session: Session) -> None:
    """Show the mail server; of its password only whether there is one."""

    async def work(engine: EngineClient) -> MailSettings:
        return (await _settings(engine))[0]

    _print_mail(session, session.call(work))


def _print_mail(session: Session, found: MailSettings) -> None:
    if session.is_json:
        document = msgspec.to_builtins(found)
        document["has_password"] = bool(document.pop("password"))
        print_json(document)
    elif not found.host:
        print_line("no mail server: `watchdeck mail set --host NAME --sender ADDRESS`")
    else:
        print_fields(
            [
                ("server", f"{found.host}, port {found.port}"),
                ("security", found.security),
                ("user", f"{found.user}{' (with password)' if found.password else ''}"),
                ("sender", found.sender),
                ("certificate", "checked" if found.verify_tls else "not checked"),
            ]
        )


@mail.command("set")
@click.option("--host", metavar="NAME", help="The mail server.")
@click.option("--port", type=click.IntRange(1, 65_535), metavar="N", help="Its port (587).")
@click.option(
    "--security", type=click.Choice(["starttls", "tls", "none"]), help="How the connection is kept secret."
)
@click.option("--user", metavar="NAME", help="User name there; the password is then asked for.")
@click.option(
    "--password-file",
    metavar="FILE|-",
    help="Take the password from the first line of FILE, or of stdin (-).",
)
@click.option("--no-password", is_flag=True, help="The server wants no password.")
@click.option("--sender", metavar="ADDRESS", help="The address mails come from.")
@click.option("--verify-tls/--no-verify-tls", default=None, help="Check the server's certificate.")
@click.option("--off", is_flag=True, help="No mail server any more.")
@json_option
@pass_session
def set_mail(
    session: Session, /, password_file: str | None, no_password: bool, off: bool, **options: Any
) -> None:
    """Change what is given. The password never stands on the command line."""
    password = given_password(options["user"], password_file, no_password)
    if off:
        if password is not None or any(value is not None for value in options.values()):
            raise click.UsageError("--off stands alone")
        fields: dict[str, Any] = {}
    else:
        fields = _given({**options, "password": password})

    async def work(engine: EngineClient) -> MailSettings:
        before = MailSettings() if off else (await _settings(engine))[0]
        changed = AlarmSettings(mail=msgspec.structs.replace(before, **fields))
        return (await engine.edit_alarm_settings(changed)).mail or MailSettings()

    _print_mail(session, session.call(work))


@mail.command("test")
@click.argument("address")
@json_option
@pass_session
def test_mail(session: Session, address: str) -> None:
    """Send a test mail to ADDRESS. Leaves with 1 when it could not be sent."""

    async def work(engine: EngineClient) -> ActionResult:
        return await engine.test_mail(address)

    result = session.call(work)
    if session.is_json:
        print_json(result)
    else:
        print_line(f"{result.action}: {result.state}{f', {result.text}' if result.text else ''}")
    if result.state is not ActionState.DONE:
        raise click.exceptions.Exit(MAIL_FAILED_EXIT)


# -- messages from outside -------------------------------------------------------------------------------


@click.group()
def listen() -> None:
    """Show and change the ports for messages from outside."""


@listen.command("show")
@json_option
@pass_session
def show_listen(session: Session) -> None:
    """Show the ports, whether they are open, and the last messages."""

    async def work(engine: EngineClient) -> tuple[ListenSettings, ListenView]:
        return (await _settings(engine))[1], await engine.listening()

    _print_listen(session, *session.call(work))


def _print_listen(session: Session, settings: ListenSettings, view: ListenView) -> None:
    if session.is_json:
        document = msgspec.to_builtins(settings)
        document["has_webhook_token"] = bool(document.pop("webhook_token"))
        print_json({"settings": document, "state": view})
        return

    def port(number: int, address: str, is_open: bool) -> str:
        return f"{address} port {number}, {'open' if is_open else 'NOT OPEN'}" if number else "off"

    print_fields(
        [
            ("TCP messages", port(settings.tcp_port, settings.tcp_address, view.is_tcp_open)),
            ("webhooks", port(settings.webhook_port, settings.webhook_address, view.is_webhook_open)),
            ("trouble", view.trouble),
            ("turned away", str(view.dropped or "")),
        ]
    )
    if view.heard:
        print_line()
        print_table(
            ["TIME", "FROM", "MET", "MESSAGE"],
            [
                [local_time(each.time_us, session.zone), each.peer, ", ".join(each.matched), each.text]
                for each in view.heard
            ],
        )


@listen.command("set")
@click.option("--tcp-port", type=_PORT, metavar="N|off", help="Take TCP messages there; 3444 by custom.")
@click.option("--tcp-address", metavar="IP", help="Of this machine; 0.0.0.0 for all networks (127.0.0.1).")
@click.option("--webhook-port", type=_PORT, metavar="N|off", help="Take HTTP POSTs there.")
@click.option("--webhook-address", metavar="IP", help="As --tcp-address.")
@click.option(
    "--webhook-token-file",
    metavar="FILE|-",
    help="Take the token that callers must send from the first line of FILE, or of stdin (-).",
)
@json_option
@pass_session
def set_listen(session: Session, /, webhook_token_file: str | None, **options: Any) -> None:
    """Change what is given. Both ports are off until they are set, and webhooks need a token."""
    token = None
    if webhook_token_file is not None:
        token = password_from_file(webhook_token_file)
        if token == PLACEHOLDER or not token:
            raise InvalidInput(
                f"{webhook_token_file} holds no token", "such as `openssl rand -hex 24` prints"
            )
    fields = _given({**options, "webhook_token": token})

    async def work(engine: EngineClient) -> tuple[ListenSettings, ListenView]:
        before = (await _settings(engine))[1]
        changed = AlarmSettings(listen=msgspec.structs.replace(before, **fields))
        kept = await engine.edit_alarm_settings(changed)
        return kept.listen or ListenSettings(), await engine.listening()

    _print_listen(session, *session.call(work))


# -- preservation ----------------------------------------------------------------------------------------


@click.group()
def preservation() -> None:
    """Show and change how long alarms, log and bookmarks are kept."""


@preservation.command("show")
@json_option
@pass_session
def show_preservation(session: Session) -> None:
    """Show how many days alarms, log and bookmarks are kept."""

    async def work(engine: EngineClient) -> PreservationSettings:
        return (await _settings(engine))[2]

    _print_preservation(session, session.call(work))


def _print_preservation(session: Session, found: PreservationSettings) -> None:
    if session.is_json:
        print_json(found)
        return
    bookmarks = "for ever" if found.bookmark_days is None else f"{found.bookmark_days} days"
    print_fields(
        [
            ("alarms", f"{found.alarms_days} days"),
            ("log, major", f"{found.log_major_days} days"),
            ("log, normal", f"{found.log_normal_days} days"),
            ("log, minor", f"{found.log_minor_days} days"),
            ("bookmarks", bookmarks),
        ]
    )


@preservation.command("set")
@click.option("--alarms", "alarms_days", type=_DAYS, metavar="DAYS", help="Alarms and their history (365).")
@click.option(
    "--log-major",
    "log_major_days",
    type=_DAYS,
    metavar="DAYS",
    help="Operations that changed settings (730).",
)
@click.option(
    "--log-normal",
    "log_normal_days",
    type=_DAYS,
    metavar="DAYS",
    help="Operations on alarms and footage (365).",
)
@click.option("--log-minor", "log_minor_days", type=_DAYS, metavar="DAYS", help="Other operations (90).")
@click.option(
    "--bookmarks",
    "bookmark_days",
    type=_DAYS_OR_NEVER,
    metavar="DAYS|never",
    help="Clips that rules bookmark; `never` = they never end.",
)
@json_option
@pass_session
def set_preservation(session: Session, /, **options: Any) -> None:
    """Change what is given. What is older is removed by itself."""
    fields = _given(options)
    if fields.get("bookmark_days") == -1:
        fields["bookmark_days"] = None

    async def work(engine: EngineClient) -> PreservationSettings:
        before = (await _settings(engine))[2]
        changed = AlarmSettings(preservation=msgspec.structs.replace(before, **fields))
        return (await engine.edit_alarm_settings(changed)).preservation or PreservationSettings()

    _print_preservation(session, session.call(work))
