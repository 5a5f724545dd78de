"""API messages about the box: bays, drives, RAID, lamps, sensors, and the jobs that work on them.

The values of storage/raid and storage/drives cross the socket as they are and are named here again, because clients
import the engine's messages only. Times are microseconds UTC, sizes bytes, temperatures degrees Celsius.
"""

from __future__ import annotations

from enum import StrEnum

from engine.wire_message import Reply, Request
from engine.wire_operations import (
    ChassisOperation,
    DriveChoice,
    LevelChoice,
    ReplaceDrive,
    SetUpChoices,
    SetUpStorage,
    TakeDownVolume,
)
from storage.drives.detection import DetectedDrive
from storage.drives.health import DriveHealth, HealthSample, Verdict
from storage.drives.indicators import (
    INFORMATION_TABLE,
    TRAY_TABLE,
    Blink,
    InformationLed,
    InformationPattern,
    TrayLed,
    TrayPattern,
)
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.drives.smart_report import (
    Attribute,
    SelfTestKind,
    SelfTestResult,
    SelfTestState,
    SmartReport,
)
from storage.hardware import ChassisLayout
from storage.raid.inventory import (
    Controller,
    Drive,
    DriveGroup,
    Inventory,
    Mount,
    Problem,
    Rates,
    Span,
    Task,
    VirtualDrive,
)
from storage.raid.operations import (
    AssignSpare,
    ClearForeign,
    CreateVirtualDrive,
    DeleteVirtualDrive,
    ImportForeign,
    Migrate,
    Operation,
    PauseTask,
    PrepareRemoval,
    RaidOperation,
    ReAddMember,
    ReleaseSpare,
    ReplaceMember,
    ResumeTask,
    SetGood,
    SetOffline,
    SetRates,
    Silence,
    StartCheck,
    StartInitialisation,
    StartPatrolRead,
    StartRebuild,
    StopTask,
)
from storage.raid.states import (
    Capability,
    DriveKind,
    DriveState,
    RaidLevel,
    SpareKind,
    TaskKind,
    TaskState,
    VirtualDriveState,
)

__all__ = [
    "INFORMATION_TABLE",
    "TRAY_TABLE",
    "AssignSpare",
    "Attribute",
    "BayView",
    "BlastRadius",
    "Blink",
    "CameraAtRisk",
    "Capability",
    "ChainView",
    "ChassisLayout",
    "ChassisOperation",
    "ChassisView",
    "ClearForeign",
    "CommandView",
    "Controller",
    "CreateVirtualDrive",
    "DeleteVirtualDrive",
    "DetectedDrive",
    "DetectionView",
    "Drive",
    "DriveChoice",
    "DriveDetail",
    "DriveGroup",
    "DriveHealth",
    "DriveKind",
    "DriveLocate",
    "DriveState",
    "GoneDrive",
    "HealthSample",
    "ImportForeign",
    "InformationLed",
    "InformationPattern",
    "Inventory",
    "JobAct",
    "JobKind",
    "JobState",
    "JobStep",
    "JobView",
    "LearnBay",
    "LevelChoice",
    "Migrate",
    "Mount",
    "Operation",
    "OperationDone",
    "OperationRun",
    "OperationPlan",
    "PauseTask",
    "PlanAsk",
    "PrepareRemoval",
    "Problem",
    "RaidLevel",
    "RaidOperation",
    "Rates",
    "ReAddMember",
    "ReleaseSpare",
    "ReplaceDrive",
    "ReplaceMember",
    "ResumeTask",
    "ScheduleView",
    "SelfTestKind",
    "SelfTestResult",
    "SelfTestStart",
    "SelfTestState",
    "Sensor",
    "SensorKind",
    "SensorState",
    "SetGood",
    "SetOffline",
    "SetRates",
    "SetUpChoices",
    "SetUpStorage",
    "Silence",
    "SimulatedStep",
    "SmartReport",
    "Span",
    "SpareKind",
    "StartCheck",
    "StartInitialisation",
    "StartPatrolRead",
    "StartRebuild",
    "StepState",
    "StopTask",
    "TakeDownVolume",
    "Task",
    "TaskKind",
    "TaskState",
    "TrayLed",
    "TrayPattern",
    "UidSwitch",
    "UpkeepEdit",
    "Verdict",
    "VirtualDrive",
    "VirtualDriveState",
]


# -- the box as it stands --------------------------------------------------------------------------------


class BayView(Reply, frozen=True, kw_only=True):
    """One bay of the front."""

    bay: int
    pattern: TrayPattern
    led: TrayLed
    word: str
    """What it is in a word or two: `empty`, `online`, `rebuild 37 %`, `FAILED`, `spare`."""
    drive: str = ""
    """Id of the drive in it, or of the one that is missing from it."""
    is_located: bool = False
    locate_until_us: int | None = None
    settles_at_us: int | None = None
    """A drive just inserted is not used before (row BY-12)."""


class ChainView(Reply, frozen=True, kw_only=True):
    """From a virtual drive to the cameras on it, and what one more failure would do."""

    virtual_drive: str
    bays: tuple[int, ...]
    volume: str = ""
    """Name of the recording volume on it; empty = none."""
    volume_path: str = ""
    group: str = ""
    cameras: tuple[str, ...] = ()
    can_lose: int = 0
    """Drives it can lose for certain, whichever they are."""
    exposure: str = ""
    """Plain words when it is not fully redundant: `one more failure in bays 0-3 loses volume A`."""


class JobKind(StrEnum):
    SET_UP = "set_up"
    REPLACE = "replace"
    TAKE_DOWN = "take_down"


class JobState(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"
    """For a person: `needs` says what to do."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    TO_DO = "to_do"
    NOW = "now"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class JobStep(Reply, frozen=True, kw_only=True):
    title: str
    state: StepState = StepState.TO_DO
    detail: str = ""


class JobView(Reply, frozen=True, kw_only=True):
    """A job of several steps that lives in the engine: it goes on when a console is lost, and after a restart."""

    id: str
    kind: JobKind
    state: JobState
    title: str
    steps: tuple[JobStep, ...]
    needs: str = ""
    """What the person must do now, in plain words."""
    actions: tuple[str, ...] = ()
    """What may be answered now (`JobAct.action`): continue, skip_pull, cancel, choose_spare ..."""
    alarm: str = ""
    """Wrong drive pulled, and the like: shown big."""
    bay: int | None = None
    """The bay it is about."""
    serial: str = ""
    """On the label of the drive it is about."""
    progress: float | None = None
    eta_s: int | None = None
    actor: str = ""
    started_us: int = 0
    ended_us: int | None = None
    result: str = ""


class ScheduleView(Reply, frozen=True, kw_only=True):
    """The regular reading of everything."""

    check_days: int = 30
    """A consistency check of each virtual drive every so many days; 0 = never."""
    patrol_days: int = 7
    smart_minutes: int = 60
    self_test_days: int = 7
    """A short self-test of each drive."""
    hour: int = 2
    """Local hour at which checks and patrol reads begin."""
    auto_rebuild: bool = True
    """A new drive in the bay of a failed one is used without asking (rows SW-01, SW-02)."""
    next_check_us: int | None = None
    next_patrol_us: int | None = None


class ChassisView(Reply, frozen=True, kw_only=True):
    """All of it: small enough (some 20 kB for 16 bays) to be sent whole when something changed."""

    layout: ChassisLayout
    bays: tuple[BayView, ...] = ()
    inventory: Inventory = Inventory()
    health: tuple[DriveHealth, ...] = ()
    chains: tuple[ChainView, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    information: InformationPattern = InformationPattern.OFF
    uid: bool = False
    is_beeping: bool = False
    jobs: tuple[JobView, ...] = ()
    """Those not ended, and the last few that are; newest first."""
    upkeep: ScheduleView = ScheduleView()
    problems: tuple[Problem, ...] = ()
    """Tools that are missing, lamps that cannot be driven: each with what to do."""
    read_us: int = 0
    """When the inventory was read."""
    is_simulated: bool = False

    def bay(self, number: int) -> BayView | None:
        return next((bay for bay in self.bays if bay.bay == number), None)

    def health_of(self, drive: str) -> DriveHealth | None:
        return next((health for health in self.health if health.drive == drive), None)

    def chain_of(self, virtual_drive: str) -> ChainView | None:
        return next((chain for chain in self.chains if chain.virtual_drive == virtual_drive), None)


class DriveDetail(Reply, frozen=True, kw_only=True):
    """GET /v1/drives/{ref}: `ref` is a bay number, a serial number or an id."""

    drive: Drive
    bay: BayView | None = None
    health: DriveHealth | None = None
    smart: SmartReport | None = None
    history: tuple[HealthSample, ...] = ()
    """Oldest first, at most 400, thinned evenly."""
    chains: tuple[ChainView, ...] = ()
    self_tests: SelfTestState | None = None
    """What it can run; None until it was asked."""


class GoneDrive(Reply, frozen=True, kw_only=True):
    """A drive that was in this box and is not now."""

    id: str
    model: str
    serial: str
    wwn: str
    size_bytes: int
    bay: int | None
    """The last one it was seen in."""
    first_seen_us: int
    last_seen_us: int


class DetectionView(Reply, frozen=True, kw_only=True):
    """GET /v1/chassis/detection: what smartctl finds by itself, held against what the engine sees."""

    detected: tuple[DetectedDrive, ...]
    differences: tuple[str, ...]
    """Plain words; empty = both see the same drives."""


# -- asking for something --------------------------------------------------------------------------------


class PlanAsk(Request, frozen=True, kw_only=True):
    """POST /v1/chassis/plans: what would happen. Changes nothing."""

    operation: ChassisOperation


class CommandView(Reply, frozen=True, kw_only=True):
    text: str
    note: str = ""


class CameraAtRisk(Reply, frozen=True, kw_only=True):
    """What a camera loses when the volumes named go."""

    camera: str
    from_us: int
    to_us: int
    bytes: int
    locked_bytes: int = 0
    """Evidence: locked recordings among them."""
    other_volume: str = ""
    """Where it goes on recording; empty = nowhere."""


class BlastRadius(Reply, frozen=True, kw_only=True):
    """What is erased or put at risk by an operation, so that a person can judge it."""

    erases: tuple[str, ...] = ()
    """Plain lines: `bay 4  ST12000NM001G  ZL2A1B2C  12 TB  was in virtual drive A`."""
    at_risk: tuple[str, ...] = ()
    """`one more failure in bays 0-3 loses volume A`."""
    cameras: tuple[CameraAtRisk, ...] = ()
    footage_bytes: int = 0
    locked_bytes: int = 0
    warnings: tuple[str, ...] = ()
    """Different models in a group (row BY-13), no spare left, a check under way."""


class OperationPlan(Reply, frozen=True, kw_only=True):
    operation: ChassisOperation
    title: str
    """`Create virtual drive A: RAID 5 of bays 0 1 2 3`."""
    commands: tuple[CommandView, ...] = ()
    radius: BlastRadius = BlastRadius()
    refused: str = ""
    """Why it will not be done; then there is nothing to confirm."""
    refused_remedy: str = ""
    confirmation: str = ""
    """What the person must type; empty = nothing is lost and a yes is enough."""
    fingerprint: str = ""
    """Of everything the plan rests on; the run is refused (state_changed) when it is another one by then."""


class OperationRun(Request, frozen=True, kw_only=True):
    """POST /v1/chassis/operations."""

    operation: ChassisOperation
    fingerprint: str
    """Of the plan that the person saw."""
    confirmation: str = ""


class OperationDone(Reply, frozen=True, kw_only=True):
    text: str
    """What was done, in plain words."""
    job: str = ""
    """Id of the job that goes on with it; empty = it is done."""


class JobAct(Request, frozen=True, kw_only=True):
    """POST /v1/chassis/jobs/{id}."""

    action: str
    value: str = ""


class DriveLocate(Request, frozen=True, kw_only=True):
    """POST /v1/drives/{ref}/locate."""

    is_on: bool = True
    seconds: int = 600
    """It goes off by itself."""


class SelfTestStart(Request, frozen=True, kw_only=True):
    """POST /v1/drives/{ref}/tests; DELETE aborts."""

    kind: SelfTestKind = SelfTestKind.SHORT


class UidSwitch(Request, frozen=True, kw_only=True):
    """PUT /v1/chassis/uid: the blue lamp that finds this box in a rack."""

    is_on: bool


class LearnBay(Request, frozen=True, kw_only=True):
    """POST /v1/chassis/bays: the socket in which `drive` is now is bay `bay`."""

    bay: int
    drive: str


class UpkeepEdit(Request, frozen=True, kw_only=True):
    """PATCH /v1/chassis/upkeep: only the fields given change."""

    check_days: int | None = None
    patrol_days: int | None = None
    smart_minutes: int | None = None
    self_test_days: int | None = None
    hour: int | None = None
    auto_rebuild: bool | None = None


class SimulatedStep(Request, frozen=True, kw_only=True):
    """POST /v1/chassis/simulation: only on a simulated chassis. One line of a scenario: `pull 3`, `insert 3`, `fail 2` ..."""

    step: str
