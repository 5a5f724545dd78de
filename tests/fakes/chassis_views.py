"""Boxes of drive bays built by hand: what the engine would say of them, for the console's tests."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.wire_chassis import (
    TRAY_TABLE,
    BayView,
    BlastRadius,
    CameraAtRisk,
    ChainView,
    ChassisLayout,
    ChassisView,
    CommandView,
    Controller,
    DeleteVirtualDrive,
    Drive,
    DriveGroup,
    DriveHealth,
    DriveKind,
    DriveState,
    HealthSample,
    InformationPattern,
    Inventory,
    JobKind,
    JobState,
    JobStep,
    JobView,
    Mount,
    OperationPlan,
    Problem,
    RaidLevel,
    Sensor,
    SensorKind,
    SensorState,
    Span,
    SpareKind,
    StepState,
    Task,
    TaskKind,
    TaskState,
    TrayPattern,
    Verdict,
    VirtualDrive,
    VirtualDriveState,
)

TB = 1000**4
NOW_US = 1_772_633_000_000_000
EIGHT = ChassisLayout(name="8 bays", rows=((4, 5, 6, 7), (0, 1, 2, 3)))
SIXTEEN = ChassisLayout(name="16 bays", rows=((12, 13, 14, 15), (8, 9, 10, 11), (4, 5, 6, 7), (0, 1, 2, 3)))
MODEL = "ST12000NM001G-2MV103"


def serial(bay: int) -> str:
    return f"ZL2A{bay:02d}BC"


def drive_id(bay: int) -> str:
    return f"wwn-0x5000c500a1b2c3{bay:02x}"


def drive(bay: int, **changes: object) -> Drive:
    """An online member of group A, or what the changes say."""
    made = Drive(
        id=drive_id(bay),
        bay=bay,
        device=f"/dev/sd{chr(98 + bay)}",
        controller="sim",
        kind=DriveKind.HDD,
        interface="SATA",
        vendor="Seagate",
        model=MODEL,
        serial=serial(bay),
        firmware="SN02",
        size_bytes=12 * TB,
        rotation_rpm=7200,
        state=DriveState.ONLINE,
        group="g-A",
        span=0,
        slot=bay,
        temperature_c=34 + bay % 5,
    )
    return msgspec.structs.replace(made, **changes)


def bay_view(bay: int, pattern: TrayPattern, word: str, **changes: object) -> BayView:
    drive = "" if pattern is TrayPattern.EMPTY else drive_id(bay)
    made = BayView(bay=bay, pattern=pattern, led=TRAY_TABLE[pattern], word=word, drive=drive)
    return msgspec.structs.replace(made, **changes)


def health(bay: int, **changes: object) -> DriveHealth:
    made = DriveHealth(
        drive=drive_id(bay),
        verdict=Verdict.GOOD,
        checked_us=NOW_US - 600_000_000,
        temperature_c=34 + bay % 5,
        temperature_warning_c=55,
        temperature_critical_c=60,
        hours=18_204 + bay,
        reallocated=0,
        pending=0,
        uncorrectable=0,
        interface_errors=0,
        self_test="short test passed 2 days ago",
    )
    return msgspec.structs.replace(made, **changes)


def group(name: str, bays: Sequence[int], can_lose: int = 1) -> DriveGroup:
    state = VirtualDriveState.ONLINE if can_lose else VirtualDriveState.DEGRADED
    span = Span(drives=tuple(drive_id(bay) for bay in bays), state=state, can_lose=can_lose)
    return DriveGroup(id=f"g-{name}", name=name, level=RaidLevel.RAID5, spans=(span,), controller="sim")


def virtual_drive(name: str, drives: int, **changes: object) -> VirtualDrive:
    made = VirtualDrive(
        id=f"v-{name}",
        name=name,
        group=f"g-{name}",
        level=RaidLevel.RAID5,
        state=VirtualDriveState.ONLINE,
        size_bytes=(drives - 1) * 12 * TB,
        stripe_bytes=256 * 1024,
        mounts=(Mount(path=f"/srv/watchdeck/{name}", file_system="xfs", uuid=f"uuid-{name}"),),
        has_bitmap=True,
        checked_us=NOW_US - 9 * 86_400_000_000,
        mismatches=0,
    )
    return msgspec.structs.replace(made, **changes)


def chain(name: str, bays: Sequence[int], **changes: object) -> ChainView:
    made = ChainView(
        virtual_drive=f"v-{name}",
        bays=tuple(bays),
        volume=name,
        volume_path=f"/srv/watchdeck/{name}",
        group="main" if name == "A" else "perimeter",
        cameras=("driveway", "front-door", "garage") if name == "A" else ("garden", "parking-north"),
        can_lose=1,
    )
    return msgspec.structs.replace(made, **changes)


SENSORS = (
    Sensor(name="FAN1", kind=SensorKind.FAN, state=SensorState.OK, value=5400, unit="rpm", source="ipmi"),
    Sensor(name="FAN2", kind=SensorKind.FAN, state=SensorState.OK, value=5300, unit="rpm", source="ipmi"),
    Sensor(name="PS1 Status", kind=SensorKind.POWER_SUPPLY, state=SensorState.OK, source="ipmi"),
    Sensor(name="PS2 Status", kind=SensorKind.POWER_SUPPLY, state=SensorState.OK, source="ipmi"),
    Sensor(name="CPU Temp", kind=SensorKind.TEMPERATURE, state=SensorState.OK, value=48, unit="C", source="ipmi"),
    Sensor(name="System Temp", kind=SensorKind.TEMPERATURE, state=SensorState.OK, value=31, unit="C", source="ipmi"),
)  # fmt: skip
CONTROLLER = Controller(id="sim", backend="simulated", model="Simulated RAID")


def healthy_eight() -> ChassisView:
    """Two RAID 5 of three drives, a spare, one bay empty: `A[012] B[456] spare 7`, 3 empty."""
    a, b = (0, 1, 2), (4, 5, 6)
    drives = [drive(bay) for bay in a]
    drives += [drive(bay, group="g-B", slot=bay - 4) for bay in b]
    drives.append(
        drive(7, group="", span=None, slot=None, state=DriveState.HOT_SPARE, spare=SpareKind.GLOBAL)
    )
    bays = [bay_view(bay, TrayPattern.ACTIVE if bay < 2 else TrayPattern.IDLE, "online") for bay in a + b]
    bays += [bay_view(3, TrayPattern.EMPTY, "empty"), bay_view(7, TrayPattern.IDLE, "spare")]
    return ChassisView(
        layout=EIGHT,
        bays=tuple(sorted(bays, key=lambda bay: bay.bay)),
        inventory=Inventory(
            controllers=(CONTROLLER,),
            drives=tuple(drives),
            groups=(group("A", a), group("B", b)),
            virtual_drives=(virtual_drive("A", 3), virtual_drive("B", 3)),
        ),
        health=tuple(health(bay) for bay in (*a, *b, 7)),
        chains=(chain("A", a), chain("B", b)),
        sensors=SENSORS,
        read_us=NOW_US,
    )


def degraded_eight() -> ChassisView:
    """Bay 1 failed; the spare of bay 7 is being rebuilt into its place; bay 5 warns; bay 3 is located; a fan stands."""
    box = healthy_eight()
    failed = drive(
        1,
        state=DriveState.FAILED,
        cause="write error on sector 20174312; taken out of virtual drive A",
        is_awaiting_removal=True,
        media_errors=14,
    )
    spare = drive(7, state=DriveState.REBUILD, slot=1)
    drives = tuple({1: failed, 7: spare}.get(known.bay or 0, known) for known in box.inventory.drives)
    exposure = "one more failure in bays 0, 2, 7 loses volume A (3 cameras, 1.2 days)"
    bays = {
        1: bay_view(1, TrayPattern.FAIL, "FAILED"),
        7: bay_view(7, TrayPattern.REBUILD, "rebuild 37 %"),
        5: bay_view(5, TrayPattern.LOCATE, "locate", is_located=True, locate_until_us=NOW_US + 480_000_000),
    }
    fans = tuple(
        msgspec.structs.replace(sensor, state=SensorState.FAILED, value=0, text="stands still")
        if sensor.name == "FAN2"
        else sensor
        for sensor in box.sensors
    )
    warning = health(
        5,
        verdict=Verdict.WARNING,
        reasons=("24 sectors wait to be reallocated (was 8 yesterday)", "16 sectors reallocated"),
        pending=24,
        reallocated=16,
    )
    failing = health(1, verdict=Verdict.FAILING, reasons=("the drive does not answer",), checked_us=None)
    tasks = (
        Task(
            id=f"rebuild:v-A:{drive_id(7)}",
            kind=TaskKind.REBUILD,
            state=TaskState.RUNNING,
            controller="sim",
            virtual_drive="v-A",
            drive=drive_id(7),
            progress=0.37,
            rate_bps=182_000_000,
            eta_s=41_520,
            can_pause=True,
        ),
        Task(
            id="check:v-B",
            kind=TaskKind.CHECK,
            state=TaskState.WAITING,
            controller="sim",
            virtual_drive="v-B",
            progress=0.0,
            detail="waits for the rebuild",
            can_stop=True,
        ),
    )
    inventory = msgspec.structs.replace(
        box.inventory,
        drives=drives,
        groups=(group("A", (0, 7, 2), can_lose=0), box.inventory.groups[1]),
        virtual_drives=(
            virtual_drive(
                "A", 3, state=VirtualDriveState.DEGRADED, cause="bay 1 (ZL2A01BC) failed; rebuild onto bay 7"
            ),
            box.inventory.virtual_drives[1],
        ),
        tasks=tasks,
    )
    return msgspec.structs.replace(
        box,
        bays=tuple(bays.get(bay.bay, bay) for bay in box.bays),
        inventory=inventory,
        health=tuple({drive_id(1): failing, drive_id(5): warning}.get(one.drive, one) for one in box.health),
        chains=(chain("A", (0, 7, 2), can_lose=0, exposure=exposure), box.chains[1]),
        sensors=fans,
        information=InformationPattern.FAN_FAILURE,
    )


def sixteen() -> ChassisView:
    """Two RAID 6 of seven drives, two spares, all busy."""
    a, b = tuple(range(7)), tuple(range(8, 15))
    drives = [drive(bay) for bay in a] + [drive(bay, group="g-B", slot=bay - 8) for bay in b]
    drives += [
        drive(bay, group="", span=None, slot=None, state=DriveState.HOT_SPARE, spare=SpareKind.GLOBAL)
        for bay in (7, 15)
    ]
    bays = [
        bay_view(bay, TrayPattern.IDLE if bay in (7, 15) else TrayPattern.ACTIVE, "spare" if bay in (7, 15) else "online")
        for bay in range(16)
    ]  # fmt: skip
    return ChassisView(
        layout=SIXTEEN,
        bays=tuple(bays),
        inventory=Inventory(
            controllers=(CONTROLLER,),
            drives=tuple(drives),
            groups=(group("A", a, 2), group("B", b, 2)),
            virtual_drives=(
                virtual_drive("A", 7, level=RaidLevel.RAID6, size_bytes=60 * TB),
                virtual_drive("B", 7, level=RaidLevel.RAID6, size_bytes=60 * TB),
            ),
        ),
        health=tuple(health(bay) for bay in range(16)),
        chains=(chain("A", a, can_lose=2), chain("B", b, can_lose=2)),
        sensors=SENSORS,
        read_us=NOW_US,
    )


def free_eight() -> ChassisView:
    """Eight drives in no virtual drive, one of them foreign, and the system's own in no bay."""
    changes: dict[str, object] = {
        "state": DriveState.UNCONFIGURED_GOOD,
        "group": "",
        "span": None,
        "slot": None,
    }
    drives = [drive(bay, **changes, side="left" if bay % 4 < 2 else "right") for bay in range(8)]
    drives[6] = msgspec.structs.replace(
        drives[6], state=DriveState.FOREIGN, foreign="old", cause="it was a member of an array named old"
    )
    system = Drive(
        id="S0SYS", serial="S0SYS", model="SSD", state=DriveState.PROTECTED, cause="it holds the system"
    )
    return ChassisView(
        layout=EIGHT,
        bays=tuple(bay_view(bay, TrayPattern.IDLE, "ready") for bay in range(8)),
        inventory=Inventory(
            controllers=(Controller(id="sim", backend="simulated", model="Simulated"),),
            drives=(*drives, system),
        ),
        health=tuple(health(bay) for bay in range(8)),
        read_us=NOW_US,
    )


def empty_box() -> ChassisView:
    """Nothing in the bays, and tools that are missing."""
    return ChassisView(
        layout=msgspec.structs.replace(EIGHT, has_mapping=False),
        bays=tuple(bay_view(bay, TrayPattern.EMPTY, "empty") for bay in range(8)),
        problems=(
            Problem(code="tool_missing", what="smartctl is not installed", remedy="install smartmontools"),
            Problem(code="no_lamps", what="the lamps of the trays cannot be driven", remedy="install ledmon"),
        ),
        read_us=NOW_US,
    )


def history() -> tuple[HealthSample, ...]:
    """Sixty samples: warmer by day, pending sectors that grow at the end."""
    return tuple(
        HealthSample(
            time_us=NOW_US - (60 - number) * 3_600_000_000,
            temperature_c=33 + number % 24 // 4,
            reallocated=min(16, max(0, number - 40)),
            pending=max(0, number - 36),
        )
        for number in range(60)
    )


def replace_job(**changes: object) -> JobView:
    """A replacement that waits for a person to pull the drive of bay 1."""
    made = JobView(
        id="job-1",
        kind=JobKind.REPLACE,
        state=JobState.WAITING,
        title="Replace the drive in bay 1",
        steps=(
            JobStep(title="Check that it may be pulled", state=StepState.DONE),
            JobStep(title="Pull the drive", state=StepState.NOW, detail="bay 1, serial ZL2A01BC"),
            JobStep(title="Insert the new drive"),
            JobStep(title="Rebuild"),
        ),
        needs="Pull the drive of bay 1. Its amber lamp blinks; the label says ZL2A01BC.",
        actions=("put_back", "cancel"),
        bay=1,
        serial=serial(1),
        actor="operator",
        started_us=NOW_US - 120_000_000,
    )
    return msgspec.structs.replace(made, **changes)


def wrong_drive_job() -> JobView:
    return replace_job(
        alarm="WRONG DRIVE PULLED: bay 2 (ZL2A02BC) is out. Put it back at once: volume A is lost without it.",
        needs="Put the drive ZL2A02BC back into bay 2.",
    )


def erasing_plan() -> OperationPlan:
    """Of what cannot be undone: drives, recordings and evidence go."""
    return OperationPlan(
        operation=DeleteVirtualDrive(virtual_drive="v-A"),
        title="Delete virtual drive A",
        commands=(CommandView(text="mdadm --stop /dev/md127", note="virtual drive A"),),
        radius=BlastRadius(
            erases=("bay 0  ST12000NM001G  ZL2A00BC  12 TB  was in virtual drive A",),
            at_risk=("nothing protects volume B meanwhile",),
            cameras=(
                CameraAtRisk(
                    camera="driveway",
                    from_us=NOW_US - 12 * 86_400_000_000,
                    to_us=NOW_US,
                    bytes=410 * 10**9,
                    locked_bytes=2 * 10**9,
                ),
            ),
            footage_bytes=410 * 10**9,
            locked_bytes=2 * 10**9,
            warnings=("a consistency check is under way",),
        ),
        confirmation="A",
        fingerprint="f",
    )
