"""`watchdeck raid ...`: virtual drives, what works on them, and the plan of a whole box."""

from __future__ import annotations

import click

from engine.client import EngineClient
from engine.wire_chassis import (
    ChassisView,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    DriveState,
    Migrate,
    OperationPlan,
    RaidLevel,
    ReplaceMember,
    SetUpStorage,
    StartCheck,
    StartInitialisation,
    StartRebuild,
    TakeDownVolume,
    VirtualDrive,
)
from tui.cli.chassis_refs import (
    drive_of,
    drives_of,
    spans_of,
    virtual_drive_of,
)
from tui.cli.operations import carry_out, plan_options, show_plan
from tui.cli.output import print_json, print_table
from tui.cli.session import Session, json_option, pass_session
from tui.cli.values import SIZE
from widgets.format import decimal_bytes

MEMBERS_EACH = 4
"""Of a virtual drive unless told otherwise (row VD-03)."""
LEVEL = click.Choice([str(level) for level in RaidLevel])


@click.group()
def raid() -> None:
    """Virtual drives: list, create, check, rebuild, migrate. Every command shows its plan with --dry-run."""


@raid.command("list")
@json_option
@pass_session
def list_(session: Session) -> None:
    """List virtual drives: state, what they can still lose, which volume and cameras are on them."""

    async def fetch(engine: EngineClient) -> ChassisView:
        return await engine.chassis()

    chassis = session.call(fetch)
    if session.is_json:
        print_json(
            {
                "virtual_drives": [
                    {
                        "virtual_drive": each,
                        "group": chassis.inventory.group(each.group),
                        "chain": chassis.chain_of(each.id),
                    }
                    for each in chassis.inventory.virtual_drives
                ]
            }
        )
        return
    print_table(
        ["NAME", "LEVEL", "STATE", "SIZE", "BAYS", "CAN LOSE", "VOLUME", "GROUP", "CAMERAS", "MIND"],
        [_row(chassis, each) for each in chassis.inventory.virtual_drives],
        right=["SIZE", "CAN LOSE", "CAMERAS"],
    )


def _row(chassis: ChassisView, each: VirtualDrive) -> list[str]:
    chain = chassis.chain_of(each.id)
    return [
        each.name,
        f"RAID {each.level}",
        state_word_of(each),
        decimal_bytes(each.size_bytes),
        " ".join(map(str, chain.bays)) if chain else "",
        str(chain.can_lose) if chain else "",
        chain.volume if chain else "",
        chain.group if chain else "",
        str(len(chain.cameras)) if chain else "",
        each.cause or (chain.exposure if chain else ""),
    ]


def state_word_of(each: VirtualDrive) -> str:
    return each.state.replace("_", " ")


# -- plans and set-up ------------------------------------------------------------------------------------


def _set_up_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option(
            "--main-group", "is_main", is_flag=True, help="All volumes in the group main, not one group each."
        ),
        click.option("--names", metavar="A,B", default="", help="Names of the virtual drives and volumes."),
        click.option(
            "--file-system",
            type=click.Choice(["xfs", "ext4"]),
            default="xfs",
            help="xfs unless told otherwise.",
        ),
        click.option("--spans", type=click.IntRange(0, 8), default=0, help="Of levels 00, 10, 50 and 60."),
        click.option("--stripe", type=SIZE, default="256KiB", metavar="SIZE", help="Stripe size (256KiB)."),
        click.option(
            "--spares", type=click.IntRange(0, 16), default=0, help="Drives left over as global hot spares."
        ),
        click.option(
            "--drives",
            "drive_refs",
            default="",
            metavar="DRIVES",
            help="For example 0-7 (all that are free).",
        ),
        click.option(
            "--virtual-drives", type=click.IntRange(1, 16), help="How many (one for each four drives)."
        ),
        click.option("--level", type=LEVEL, default="5", help="RAID level (5)."),
    ):
        command = option(command)
    return command


def _set_up(
    chassis: ChassisView,
    level: str,
    virtual_drives: int | None,
    drive_refs: str,
    spares: int,
    stripe: int,
    spans: int,
    file_system: str,
    names: str,
    is_main: bool,
) -> SetUpStorage:
    drives = drives_of(chassis, drive_refs)
    free = [each for each in chassis.inventory.drives if each.state is DriveState.UNCONFIGURED_GOOD]
    members = len(drives or free) - spares
    return SetUpStorage(
        level=RaidLevel(level),
        virtual_drives=virtual_drives or max(1, members // MEMBERS_EACH),
        drives=tuple(each.id for each in drives),
        spares=spares,
        stripe_bytes=stripe,
        spans=spans,
        file_system=file_system,
        names=tuple(name.strip() for name in names.split(",") if name.strip()),
        group_each=not is_main,
    )


@raid.command()
@_set_up_options
@json_option
@pass_session
def plan(session: Session, /, **options: object) -> None:
    """Show what `raid set-up` would make of the free drives. Never changes anything."""

    async def look(engine: EngineClient) -> OperationPlan:
        return await engine.plan_operation(_set_up(await engine.chassis(), **options))  # type: ignore[arg-type]

    show_plan(session, session.call(look))


@raid.command("set-up")
@_set_up_options
@click.option("--wait", "is_waiting", is_flag=True, help="Follow the job to its end.")
@plan_options
@json_option
@pass_session
def set_up(
    session: Session, /, is_waiting: bool, is_dry: bool, word: str | None, is_sure: bool, **options: object
) -> None:
    """From empty drives to recording in one go: virtual drives, file systems, volumes, groups. Erases the drives."""
    carry_out(
        session,
        lambda chassis: _set_up(chassis, **options),  # type: ignore[arg-type]
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
        is_waiting=is_waiting,
    )


@raid.command("take-down")
@click.argument("virtual_drive", metavar="VD")
@click.option("--wait", "is_waiting", is_flag=True, help="Follow the job to its end.")
@plan_options
@json_option
@pass_session
def take_down(
    session: Session, virtual_drive: str, is_waiting: bool, is_dry: bool, word: str | None, is_sure: bool
) -> None:
    """Recording off a virtual drive's volume, unmount it, delete it. Erases the footage on it."""
    carry_out(
        session,
        lambda chassis: TakeDownVolume(virtual_drive=virtual_drive_of(chassis, virtual_drive).id),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
        is_waiting=is_waiting,
    )


# -- virtual drives --------------------------------------------------------------------------------------


@raid.command()
@click.argument("name")
@click.option("--level", type=LEVEL, default="5", help="RAID level (5).")
@click.option(
    "--drives", "drive_refs", required=True, metavar="DRIVES", help="In slot order, for example 0-3."
)
@click.option("--spans", type=click.IntRange(2, 8), default=None, help="Of levels 00, 10, 50 and 60 (2).")
@click.option("--stripe", type=SIZE, default="256KiB", metavar="SIZE", help="Stripe size (256KiB).")
@click.option("--spare", "spare_refs", default="", metavar="DRIVES", help="Hot spares dedicated to it.")
@click.option("--no-bitmap", "has_no_bitmap", is_flag=True, help="Without a write-intent bitmap.")
@plan_options
@json_option
@pass_session
def create(
    session: Session,
    name: str,
    level: str,
    drive_refs: str,
    spans: int | None,
    stripe: int,
    spare_refs: str,
    has_no_bitmap: bool,
    is_dry: bool,
    word: str | None,
    is_sure: bool,
) -> None:
    """Create one virtual drive, without a file system on it (`raid set-up` does all). Erases the drives."""

    def make(chassis: ChassisView) -> CreateVirtualDrive:
        return CreateVirtualDrive(
            name=name,
            level=RaidLevel(level),
            spans=spans_of(RaidLevel(level), drives_of(chassis, drive_refs), spans or 0),
            stripe_bytes=stripe,
            spares=tuple(each.id for each in drives_of(chassis, spare_refs)),
            has_bitmap=not has_no_bitmap,
        )

    carry_out(session, make, is_dry=is_dry, word=word, is_sure=is_sure)


@raid.command()
@click.argument("virtual_drive", metavar="VD")
@plan_options
@json_option
@pass_session
def delete(session: Session, virtual_drive: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
    """Delete a virtual drive that carries no volume (`raid take-down` does both). Erases it."""
    carry_out(
        session,
        lambda chassis: DeleteVirtualDrive(virtual_drive=virtual_drive_of(chassis, virtual_drive).id),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )


@raid.command()
@click.argument("virtual_drive", metavar="VD")
@click.option("--repair", is_flag=True, help="Rewrite what does not match.")
@plan_options
@json_option
@pass_session
def check(
    session: Session, virtual_drive: str, repair: bool, is_dry: bool, word: str | None, is_sure: bool
) -> None:
    """Start a consistency check; it goes on in the background (`raid tasks`)."""
    carry_out(
        session,
        lambda chassis: StartCheck(virtual_drive=virtual_drive_of(chassis, virtual_drive).id, repair=repair),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )


@raid.command()
@click.argument("virtual_drive", metavar="VD")
@plan_options
@json_option
@pass_session
def initialise(session: Session, virtual_drive: str, is_dry: bool, word: str | None, is_sure: bool) -> None:
    """Start the background initialisation by hand (small RAID 5 and 6 do not start it by themselves)."""
    carry_out(
        session,
        lambda chassis: StartInitialisation(virtual_drive=virtual_drive_of(chassis, virtual_drive).id),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )


@raid.command()
@click.argument("virtual_drive", metavar="VD")
@click.argument("ref", metavar="DRIVE")
@plan_options
@json_option
@pass_session
def rebuild(
    session: Session, virtual_drive: str, ref: str, is_dry: bool, word: str | None, is_sure: bool
) -> None:
    """Rebuild onto DRIVE in the place of a failed or missing member. Erases DRIVE."""
    carry_out(
        session,
        lambda chassis: StartRebuild(
            group=virtual_drive_of(chassis, virtual_drive).group, drive=drive_of(chassis, ref).id
        ),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )


@raid.command("copy-member")
@click.argument("member")
@click.argument("replacement")
@plan_options
@json_option
@pass_session
def copy_member(
    session: Session, member: str, replacement: str, is_dry: bool, word: str | None, is_sure: bool
) -> None:
    """Copy a member that still works onto REPLACEMENT, then take it out; redundancy is kept. Erases REPLACEMENT."""
    carry_out(
        session,
        lambda chassis: ReplaceMember(
            member=drive_of(chassis, member).id, replacement=drive_of(chassis, replacement).id
        ),
        is_dry=is_dry,
        word=word,
        is_sure=is_sure,
    )


@raid.command()
@click.argument("virtual_drive", metavar="VD")
@click.option("--level", type=LEVEL, help="New level (as it is).")
@click.option("--add", "drive_refs", default="", metavar="DRIVES", help="Drives to add; they are erased.")
@plan_options
@json_option
@pass_session
def migrate(
    session: Session,
    virtual_drive: str,
    level: str | None,
    drive_refs: str,
    is_dry: bool,
    word: str | None,
    is_sure: bool,
) -> None:
    """Change the level of a virtual drive, or add drives to it, while it is in use."""

    def make(chassis: ChassisView) -> Migrate:
        found = virtual_drive_of(chassis, virtual_drive)
        return Migrate(
            virtual_drive=found.id,
            level=RaidLevel(level) if level else found.level,
            add=tuple(each.id for each in drives_of(chassis, drive_refs)),
        )

    carry_out(session, make, is_dry=is_dry, word=word, is_sure=is_sure)
