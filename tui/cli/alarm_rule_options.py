"""An alarm rule as it is typed: options for what most rules are, a file (JSON or TOML) for everything."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from engine.client import FileError, InvalidInput
from engine.wire_alarm_rules import (
    AlarmAction,
    AlarmRuleAdd,
    AlarmRuleEdit,
    AlarmRuleView,
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
    TextMatch,
    Trigger,
)
from tui.cli.lengths import AROUND_EVENT, SecondsType
from tui.cli.passwords import password_from_file, refuse_credentials
from tui.cli.schedules import schedule_of
from tui.cli.session import Session
from tui.cli.values import CAMERA, SCHEDULE

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", AlarmRuleAdd, AlarmRuleEdit)

RETRIGGER = SecondsType(0, 86_400)
_SHOWN_ONLY = set(AlarmRuleView.__struct_fields__) - set(AlarmRuleAdd.__struct_fields__)
_SHOWN_ONLY |= {name.removesuffix("_us") for name in _SHOWN_ONLY}
"""What `alarm rule show --json` prints and a rule to be added has not."""


def rule_options(command: F) -> F:
    """Of `add` and `edit`: what `given_fields` takes."""
    for option in reversed(
        [
            click.option(
                "--on",
                "kinds",
                multiple=True,
                metavar="KIND",
                help="Raised by events of this kind, for example camera.lost; may be repeated.",
            ),
            click.option(
                "--camera",
                "cameras",
                type=CAMERA,
                multiple=True,
                metavar="CAMERA",
                help="Only events of this camera; may be repeated.",
            ),
            click.option(
                "--source",
                "sources",
                multiple=True,
                metavar="NAME",
                help="Only events of this volume, bay, link, button ...; may be repeated.",
            ),
            click.option("--message", metavar="TEXT", help="Only events whose text holds TEXT."),
            click.option("--exact", is_flag=True, help="The text must be TEXT, not hold it."),
            click.option("--case", "is_case", is_flag=True, help="Capitals matter in TEXT."),
            click.option("--record", is_flag=True, help="Record around the event."),
            click.option("--pre", type=AROUND_EVENT, metavar="TIME", help="Record from so long before (5s)."),
            click.option(
                "--post", type=AROUND_EVENT, metavar="TIME", help="Record up to so long after (5s)."
            ),
            click.option("--bookmark", is_flag=True, help="Keep a clip from being recycled."),
            click.option("--live", is_flag=True, help="Show the camera in the alarm tab."),
            click.option("--sound", type=click.IntRange(1, 5), metavar="1-5", help="Ring with this pattern."),
            click.option(
                "--sound-on",
                type=click.Choice(["console", "box", "both"]),
                default="console",
                help="Where it rings (console).",
            ),
            click.option(
                "--mail", multiple=True, metavar="ADDRESS", help="Send mail with a snapshot; may be repeated."
            ),
            click.option("--http", multiple=True, metavar="URL", help="Send a POST to URL; may be repeated."),
            click.option(
                "--http-get", multiple=True, metavar="URL", help="Send a GET to URL; may be repeated."
            ),
            click.option(
                "--push-file",
                multiple=True,
                metavar="FILE|-",
                help="Push through the Apprise URL in the first line of FILE, or of stdin (-).",
            ),
            click.option(
                "--preset",
                multiple=True,
                metavar="CAMERA=PRESET",
                help="Send a camera to one of its presets; may be repeated.",
            ),
            click.option(
                "--output",
                multiple=True,
                metavar="CAMERA=OUTPUT",
                help="Switch a camera's output on for 15 s; may be repeated.",
            ),
            click.option("--instructions", metavar="TEXT", help="What to do when it is raised."),
            click.option(
                "--severity", type=click.Choice(["info", "warning", "critical"]), help="How grave (warning)."
            ),
            click.option(
                "--schedule", type=SCHEDULE, metavar="NAME", help="Only while this schedule says so."
            ),
            click.option(
                "--times",
                multiple=True,
                metavar="TIMES",
                help="Only then, for example 'Mon-Fri 18:00-06:00'; may be repeated.",
            ),
            click.option(
                "--retrigger",
                type=RETRIGGER,
                metavar="TIME",
                help="Events within this time of the last one join its alarm (30s); 0: each raises one.",
            ),
            click.option(
                "--file",
                metavar="FILE|-",
                help="Take the rule from a JSON or TOML file, or JSON from stdin (-); options go on top of it.",
            ),
        ]
    ):
        command = option(command)
    return command


def given_fields(session: Session, options: dict[str, Any]) -> dict[str, Any]:
    """Fields of the request that were typed. Raises InvalidInput, FileError, UsageError."""
    fields: dict[str, Any] = {
        "instructions": options["instructions"],
        "severity": options["severity"],
        "schedule_name": options["schedule"],
        "retrigger_s": options["retrigger"],
        "triggers": _triggers(options),
        "actions": _actions(options) or None,
    }
    if options["times"]:
        if options["schedule"]:
            raise click.UsageError("--times and --schedule contradict each other: give one of them")
        fields["schedule"] = schedule_of(options["times"], session.zone)
    return {name: value for name, value in fields.items() if value is not None}


def _triggers(options: dict[str, Any]) -> tuple[Trigger, ...] | None:
    """One for each kind, with the same sources and text."""
    kinds: tuple[str, ...] = options["kinds"]
    narrowed = any(options[name] for name in ("cameras", "sources", "message", "exact", "is_case"))
    if not kinds:
        if narrowed:
            raise click.UsageError("--camera, --source and --message say more of --on: give it too")
        return None
    if (options["exact"] or options["is_case"]) and not options["message"]:
        raise click.UsageError("--exact and --case say more of --message: give it too")
    return tuple(
        Trigger(
            kind=kind,
            sources=(*options["cameras"], *options["sources"]),
            text=options["message"] or "",
            match=TextMatch.MATCHES if options["exact"] else TextMatch.CONTAINS,
            is_case_sensitive=options["is_case"],
        )
        for kind in kinds
    )


def _actions(options: dict[str, Any]) -> tuple[AlarmAction, ...]:
    found: list[AlarmAction] = []
    if options["record"] or options["pre"] is not None or options["post"] is not None:
        around = {"pre_event_s": options["pre"], "post_event_s": options["post"]}
        found.append(RecordAction(**{name: value for name, value in around.items() if value is not None}))
    if options["bookmark"]:
        found.append(BookmarkAction())
    if options["live"]:
        found.append(LiveAction())
    if options["sound"] is not None:
        found.append(SoundAction(pattern=options["sound"], where=options["sound_on"]))
    if options["mail"]:
        found.append(MailAction(to=options["mail"]))
    for method, urls in (("POST", options["http"]), ("GET", options["http_get"])):
        for url in urls:
            refuse_credentials(url)
            found.append(HttpAction(url=url, method=method))
    found.extend(PushAction(url=password_from_file(name)) for name in options["push_file"])
    for camera, preset in _pairs("--preset", options["preset"]):
        found.append(PresetAction(camera=camera, preset=preset))
    for camera, output in _pairs("--output", options["output"]):
        found.append(OutputAction(camera=camera, output=output))
    return tuple(found)


def _pairs(option: str, typed: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in typed:
        camera, mark, name = text.rpartition("=")
        if not (camera and mark and name):
            raise click.UsageError(f"{option} {text!r}: write CAMERA=NAME")
        yield camera, name


# -- files -----------------------------------------------------------------------------------------------


def fields_of_file(name: str, kind: type[R]) -> dict[str, Any]:
    """The fields that a rule's file gives, checked; what only `show` prints is left out. Raises FileError, InvalidInput."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise FileError(f"the file {name} cannot be read: {error.strerror}", "check its path") from error
    try:
        document = (
            tomllib.loads(content.decode("utf-8")) if name.endswith(".toml") else msgspec.json.decode(content)
        )
        if not isinstance(document, dict):
            raise InvalidInput(f"{name} holds no rule", "one object, as `alarm rule show --json` prints it")
        known = {key: value for key, value in document.items() if key not in _SHOWN_ONLY}
        request = msgspec.convert(known, kind)
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{name}: {error}", "JSON as `alarm rule show --json` prints it, or the same as TOML (*.toml)"
        ) from error
    return {field: getattr(request, field) for field in request.__struct_fields__ if field in known}
