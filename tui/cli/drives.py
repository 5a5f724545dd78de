"""`watchdeck drive ...`: the drives in their bays."""

from __future__ import annotations

import re

import click

from engine.client import EngineClient
from engine.wire_chassis import (
    AssignSpare,
    ChassisView,
    DetectionView,
    Drive,
    DriveDetail,
    DriveHealth,
    DriveLocate,
    GoneDrive,
    OperationDone,
    PrepareRemoval,
    ReAddMember,
    ReleaseSpare,
    ReplaceDrive,
    SelfTestKind,
    SelfTestStart,
    SelfTestState,
    SetGood,
    SetOffline,
    SpareKind,
)
from tui.cli.chassis_refs import drive_of, named_drive, state_word, virtual_drive_of
from tui.cli.operations import carry_out, plan_options
from tui.cli.output import print_fields, print_json, print_line, print_table
from tui.cli.session import Session, json_option, pass_session
from widgets.format import count, decimal_bytes, local_time

_MINUTES = re.compile(r"(\d+)\s*(s|m|min|h)?")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, None: 60}
HISTORY_SHOWN = 10


class DurationType(click.ParamType[int]):
    """Seconds, typed as `90s`, `10m` or `1h`."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _MINUTES.fullmatch(value.strip())
        if match is None:
            self.fail(f"{value!r} is no duration; for example 90s, 10m or 1h", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


@click.group()
def drive() -> None:
    """Look at drives, find them, test them, replace them. DRIVE is a bay number, a serial number or an id."""


@drive.command("list")
@click.option("--gone", "is_gone", is_flag=True, help="Those that were here and are not now.")
@json_option
@pass_session
def list_(session: Session, is_gone: bool) -> None:
    """List all drives with bay, state, health and what they belong to."""
    if is_gone:
        _list_gone(session)
        return
    chassis = session.call(_chassis)
    drives = sorted(chassis.inventory.drives, key=lambda each: (each.bay is None, each.bay or 0, each.place))
    if session.is_json:
        print_json({"drives": [_with_health(chassis, each) for each in drives]})
        return
    print_table(
        ["BAY", "SERIAL", "MODEL", "SIZE", "STATE", "OF", "TEMP", "HEALTH", "WHY"],
        [_row(chassis, each) for each in drives],
        right=["BAY", "SIZE", "TEMP"],
    )
    _print_problems(chassis)


def _list_gone(session: Session) -> None:
    async def fetch(engine: EngineClient) -> tuple[GoneDrive, ...]:
        return await engine.gone_drives()

    drives = session.call(fetch)
    if session.is_json:
        print_json({"drives": drives})
        return
    print_table(
        ["SERIAL", "MODEL", "SIZE", "LAST BAY", "FIRST SEEN", "LAST SEEN"],
        [
            [
                each.serial or each.id,
                each.model,
                decimal_bytes(each.size_bytes or None),
                "" if each.bay is None else str(each.bay),
                local_time(each.first_seen_us, session.zone),
                local_time(each.last_seen_us, session.zone),
            ]
            for each in drives
        ],
        right=["SIZE", "LAST BAY"],
    )


def _row(chassis: ChassisView, each: Drive) -> list[str]:
    health = chassis.health_of(each.id)
    temperature = _temperature(each, health)
    return [
        "" if each.bay is None else str(each.bay),
        each.serial,
        each.model,
        decimal_bytes(each.size_bytes or None),
        state_word(each.state),
        membership(chassis, each),
        "" if temperature is None else f"{temperature} C",
        health.verdict if health else "unknown",
        each.cause or (health.reasons[0] if health and health.reasons else ""),
    ]


def _temperature(each: Drive, health: DriveHealth | None) -> int | None:
    return (
        each.temperature_c if each.temperature_c is not None else (health.temperature_c if health else None)
    )


def membership(chassis: ChassisView, each: Drive) -> str:
    """`A`, `global spare`, `spare of A`."""
    if each.spare is SpareKind.GLOBAL:
        return "global spare"
    groups = each.spare_groups if each.spare is not None else (each.group,)
    names = [vd.name for group in groups if group for vd in chassis.inventory.virtual_drives_of(group)]
    return f"spare of {', '.join(names)}" if each.spare is not None else ", ".join(names)


def _with_health(chassis: ChassisView, each: Drive) -> dict[str, object]:
    return {"drive": each, "health": chassis.health_of(each.id)}


async def _chassis(engine: EngineClient) -> ChassisView:
    return await engine.chassis()


def _print_problems(chassis: ChassisView) -> None:
    for problem in chassis.problems:
        print_line(f"! {problem.what}{f' ({problem.remedy})' if problem.remedy else ''}")


@drive.command()
@click.argument("ref", metavar="DRIVE")
@json_option
@pass_session
def show(session: Session, ref: str) -> None:
    """Show one drive: identity, health with its reasons, membership, self-tests, history."""

    async def fetch(engine: EngineClient) -> tuple[DriveDetail, ChassisView]:
        chassis = await engine.chassis()
        return await engine.drive(drive_of(chassis, ref).id), chassis

    detail, chassis = session.call(fetch)
    if session.is_json:
        print_json(detail)
        return
    each, health, smart = detail.drive, detail.health, detail.smart
    print_fields(
        [
            ("bay", "" if each.bay is None else str(each.bay)),
            ("serial", each.serial),
            ("model", " ".join(filter(None, (each.vendor, each.model)))),
            ("firmware", each.firmware),
            ("size", f"{decimal_bytes(each.size_bytes)}, sectors of {each.sector_bytes} B"),
            ("interface", f"{each.interface} {each.kind}".strip()),
            ("state", state_word(each.state) + (f": {each.cause}" if each.cause else "")),
            ("lamp", detail.bay.word if detail.bay else ""),
            ("member of", membership(chassis, each)),
            ("socket", each.place),
            ("device now", each.device),
            ("id", each.id),
        ]
    )
    for chain in detail.chains:
        if chain.exposure:
            print_line(f"! {chain.exposure}")
    if health is not None:
        print_line()
        print_fields(
            [
                ("health", health.verdict),
                *(("because", reason) for reason in health.reasons),
                ("read", local_time(health.checked_us, session.zone) if health.checked_us else ""),
                ("temperature", "" if health.temperature_c is None else f"{health.temperature_c} C"),
                ("powered on", "" if health.hours is None else f"{count(health.hours)} h"),
                ("reallocated", _number(health.reallocated)),
                ("pending", _number(health.pending)),
                ("uncorrectable", _number(health.uncorrectable)),
                ("cable errors", _number(health.interface_errors)),
                ("media errors", _number(health.media_errors)),
                ("wear", "" if health.wear_percent is None else f"{health.wear_percent} %"),
                ("self-test", health.self_test),
                ("can run", self_tests_shown(detail.self_tests)),
            ]
        )
    if smart is not None and smart.self_tests:
        print_line()
        print_table(
            ["TEST", "AT HOURS", "RESULT"],
            [
                [test.kind, "" if test.at_hours is None else str(test.at_hours), test.text]
                for test in smart.self_tests
            ],
            right=["AT HOURS"],
        )
    if detail.history:
        print_line()
        print_table(
            ["TIME", "TEMP", "REALLOCATED", "PENDING", "UNCORRECTABLE", "HEALTH"],
            [
                [
                    local_time(sample.time_us, session.zone),
                    _number(sample.temperature_c),
                    _number(sample.reallocated),
                    _number(sample.pending),
                    _number(sample.uncorrectable),
                    sample.verdict,
                ]
                for sample in detail.history[-HISTORY_SHOWN:]
            ],
            right=["TEMP", "REALLOCATED", "PENDING", "UNCORRECTABLE"],
        )


def self_tests_shown(tests: SelfTestState | None) -> str:
    """`short 2 min, long 740 min`."""
    if tests is None:
        return ""
    if not tests.kinds:
        return "no self-tests"
    return ", ".join(
        f"{kind} {tests.minutes[kind]} min" if kind in tests.minutes else str(kind) for kind in tests.kinds
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


@drive.command()
@click.argument("ref", metavar="DRIVE")
@click.option("--off", "is_off", is_flag=True, help="Stop blinking.")
@click.option(
    "--for", "seconds", type=DurationType(), default="10m", metavar="TIME", help="Goes off by itself (10m)."
)
@json_option
@pass_session
def locate(session: Session, ref: str, is_off: bool, seconds: int) -> None:
    """Let the lamp of a drive's bay blink amber, on the steel and on the screens."""

    async def work(engine: EngineClient) -> Drive:
        found = drive_of(await engine.chassis(), ref)
        await engine.locate_drive(found.id, DriveLocate(is_on=not is_off, seconds=seconds))
        return found

    found = session.call(work)
    if session.is_json:
        print_json({"bay": found.bay, "serial": found.serial, "is_on": not is_off, "seconds": seconds})
    else:
        print_line(
            f"{named_drive(found)} {'is quiet again' if is_off else f'blinks for {seconds // 60} min {seconds % 60} s'}"
        )


@drive.command()
@click.argument("ref", metavar="DRIVE")
@click.option(
    "--kind",
    type=click.Choice([str(kind) for kind in SelfTestKind]),
    default="short",
    help="Which test (short).",
)
@click.option("--abort", "is_abort", is_flag=True, help="Stop the one that runs.")
@json_option
@pass_session
def test(session: Session, ref: str, kind: str, is_abort: bool) -> None:
    """Have a drive test itself; it stays in use meanwhile."""

    async def work(engine: EngineClient) -> OperationDone:
        found = drive_of(await engine.chassis(), ref)
        if is_abort:
            await engine.abort_self_test(found.id)
            return OperationDone(text=f"{named_drive(found)}: self-test stopped")
        return await engine.start_self_test(found.id, SelfTestStart(kind=SelfTestKind(kind)))

    done = session.call(work)
    if session.is_json:
        print_json(done)
    else:
        print_line(done.text)


@drive.command()
@click.argument("ref", metavar="DRIVE")
@click.option("--wait", "is_waiting", is_flag=True, help="Follow the job until it wants something done.")
@plan_options
@json_option
@pass_session
def replace(
    session: Session, ref: str, is_waiting: bool, is_dry: bool, word: str | None, is_sure: bool
) -> None:
    """Begin the guided replacement: it says when to pull, notices the wrong drive, rebuilds. Goes on as a job."""
    carry_out(
        session,
        lambda chassis: ReplaceDrive(drive=drive_of(chassis, ref).id),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
        is_waiting=is_waiting,
    )


@drive.command()
@click.argument("ref", metavar="DRIVE")
@click.option(
    "--of",
    "virtual_drives",
    multiple=True,
    metavar="VD",
    help="Dedicated to this virtual drive; may be repeated.",
)
@click.option("--affinity", "has_affinity", is_flag=True, help="Serve its own side of the backplane first.")
@click.option("--release", "is_release", is_flag=True, help="No spare any more.")
@plan_options
@json_option
@pass_session
def spare(
    session: Session,
    ref: str,
    virtual_drives: tuple[str, ...],
    has_affinity: bool,
    is_release: bool,
    is_dry: bool,
    word: str | None,
    is_sure: bool,
) -> None:
    """Make a drive a hot spare: global, or of the virtual drives named."""

    def make(chassis: ChassisView) -> AssignSpare | ReleaseSpare:
        found = drive_of(chassis, ref)
        if is_release:
            return ReleaseSpare(drive=found.id)
        return AssignSpare(
            drive=found.id,
            kind=SpareKind.DEDICATED if virtual_drives else SpareKind.GLOBAL,
            groups=tuple(virtual_drive_of(chassis, name).group for name in virtual_drives),
            has_affinity=has_affinity,
        )

    carry_out(session, make, is_dry=is_dry, word=word, is_sure=is_sure)


@drive.command()
@json_option
@pass_session
def detect(session: Session) -> None:
    """A second opinion: what smartctl finds by itself, against what the engine sees. Opens every drive that is awake."""

    async def fetch(engine: EngineClient) -> DetectionView:
        return await engine.detect_drives()

    view = session.call(fetch)
    if session.is_json:
        print_json(view)
        return
    print_table(
        ["SERIAL", "MODEL", "SIZE", "DEVICE NOW", "REACHED AS"],
        [
            [each.serial, each.model, decimal_bytes(each.size_bytes or None), each.device, each.type]
            for each in view.detected
        ],
        right=["SIZE"],
    )
    for difference in view.differences:
        print_line(f"! {difference}")
    if not view.differences:
        print_line("both see the same drives")


@drive.command()
@click.argument("ref", metavar="DRIVE")
@json_option
@pass_session
def forget(session: Session, ref: str) -> None:
    """Forget a drive that left for good, with its history; by serial number or id."""

    async def work(engine: EngineClient) -> None:
        await engine.forget_drive(ref)

    session.call(work)
    if session.is_json:
        print_json({"forgotten": ref})
    else:
        print_line(f"{ref} is forgotten")


def _one_drive(
    name: str, text: str, operation: type[SetOffline | SetGood | PrepareRemoval | ReAddMember]
) -> click.Command:
    @drive.command(name, help=text)
    @click.argument("ref", metavar="DRIVE")
    @plan_options
    @json_option
    @pass_session
    def command(session: Session, ref: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
        carry_out(
            session,
            lambda chassis: operation(drive=drive_of(chassis, ref).id),
            is_dry=is_dry,
            word=word,
            is_sure=is_sure,
        )

    found: click.Command = command
    return found


_one_drive("offline", "Take a member out of service; its virtual drive loses redundancy.", SetOffline)
_one_drive("good", "Make a failed, bad or foreign drive usable again; what was on it is forgotten.", SetGood)
_one_drive("prepare-removal", "Make a drive that is in no use safe to pull.", PrepareRemoval)
_one_drive("re-add", "Put a member back that was pulled by mistake.", ReAddMember)
