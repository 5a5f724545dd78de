"""Which alarms a command is for: numbers, or the filters of the list. Shared by all `watchdeck alarm` commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from engine.client import EngineClient
from engine.wire_alarms import OPEN_STATUSES, AlarmFilter, AlarmQuery, AlarmSelection, AlarmStatus
from tui.cli.cameras import confirm
from tui.cli.session import Session
from tui.cli.values import WHEN, When, now_us
from widgets.format import plural

F = TypeVar("F", bound=Callable[..., Any])

STATUSES = {
    "new": (AlarmStatus.NEW,),
    "in-progress": (AlarmStatus.IN_PROGRESS,),
    "false": (AlarmStatus.FALSE_ALARM,),
    "closed": (AlarmStatus.CLOSED,),
    "any": (),
}
"""As typed."""


def filter_options(command: F) -> F:
    """Options that `filter_of` takes."""
    for option in reversed(
        [
            click.option(
                "--status",
                multiple=True,
                type=click.Choice(list(STATUSES)),
                help="Only these (default: new and in progress); may be repeated.",
            ),
            click.option(
                "--source",
                multiple=True,
                metavar="NAME",
                help="Only of this camera, volume, bay ...; may be repeated.",
            ),
            click.option(
                "--kind",
                multiple=True,
                metavar="KIND",
                help="Only events of this kind: camera.lost, or camera for all of them; may be repeated.",
            ),
            click.option("--rule", multiple=True, metavar="RULE", help="Only of this rule; may be repeated."),
            click.option(
                "--min-severity",
                type=click.Choice(["info", "warning", "critical"]),
                help="Only these and graver ones.",
            ),
            click.option(
                "--from", "start", type=WHEN, metavar="TIME", help="Whose last event is not before."
            ),
            click.option("--to", "end", type=WHEN, metavar="TIME", help="Whose last event is before."),
            click.option(
                "--text",
                metavar="WORDS",
                help="All of which must be in text, source, rule or comment.",
            ),
            click.option("--muted", is_flag=True, help="Muted ones too."),
        ]
    ):
        command = option(command)
    return command


def selection_options(command: F) -> F:
    """Numbers or filters, and how sure one is."""
    command = click.option("--yes", is_flag=True, help="Do not ask.")(command)
    command = click.option("--all", "is_all", is_flag=True, help="All that are open.")(command)
    return click.argument("ids", type=click.IntRange(1), nargs=-1, metavar="[ID]...")(filter_options(command))


class Given:
    """The filter options of one invocation."""

    def __init__(self, session: Session, options: dict[str, Any]) -> None:
        self._session = session
        self._options = options

    @property
    def is_any(self) -> bool:
        return any(
            self._options[name]
            for name in ("status", "source", "kind", "rule", "min_severity", "start", "end", "text")
        )

    async def filter(self, engine: EngineClient) -> AlarmFilter:
        start: When | None = self._options["start"]
        end: When | None = self._options["end"]
        now = await now_us(engine) if start or end else 0
        return AlarmFilter(
            statuses=self._statuses(),
            sources=self._options["source"],
            kinds=self._options["kind"],
            rules=self._options["rule"],
            min_severity=self._options["min_severity"],
            start_us=start.time_us(now, self._session.zone) if start else None,
            end_us=end.time_us(now, self._session.zone) if end else None,
            text=self._options["text"] or "",
            with_muted=self._options["muted"],
        )

    def _statuses(self) -> tuple[AlarmStatus, ...]:
        typed: tuple[str, ...] = self._options["status"]
        if "any" in typed:
            return ()
        return tuple(dict.fromkeys(status for word in typed for status in STATUSES[word])) or OPEN_STATUSES


def as_query(chosen: AlarmFilter, **window: Any) -> AlarmQuery:
    """The filter as a window of the list."""
    fields = {name: getattr(chosen, name) for name in AlarmFilter.__struct_fields__}
    return AlarmQuery(**fields, **window)


async def selected(
    engine: EngineClient,
    session: Session,
    ids: tuple[int, ...],
    options: dict[str, Any],
    *,
    is_all: bool,
    is_sure: bool,
    what: str,
    with_groups: bool = False,
) -> AlarmSelection:
    """What a step is for. All of a filter means those that were there when it was asked. Raises click.UsageError, Abort."""
    given = Given(session, options)
    if ids:
        if given.is_any or is_all:
            raise click.UsageError("give numbers of alarms or filters, not both")
        return AlarmSelection(ids=ids, with_groups=with_groups)
    if not given.is_any and not is_all:
        raise click.UsageError("which alarms? Give their numbers, filters, or --all")
    chosen = await given.filter(engine)
    now = await now_us(engine)
    if chosen.end_us is None or chosen.end_us > now:
        # An alarm that another event meets while somebody answers is not what was looked at.
        chosen = AlarmFilter(
            **{name: getattr(chosen, name) for name in AlarmFilter.__struct_fields__ if name != "end_us"},
            end_us=now,
        )
    page = await engine.alarms(as_query(chosen, limit=1))
    confirm(session, f"{what} {plural(page.total, 'alarm')}?", is_sure)
    return AlarmSelection(filter=chosen)
