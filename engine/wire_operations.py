"""Operations of the engine's own, above those of a RAID back-end, and what helps a person to choose among them.

Part of engine.wire_chassis, which names them again for clients.
"""

from __future__ import annotations

from engine.wire_message import Reply
from storage.raid.operations import Operation, RaidOperation
from storage.raid.states import RaidLevel


class SetUpStorage(Operation, frozen=True, kw_only=True, tag="set_up"):
    """From empty drives to ready-to-record in one flow (rows VD-03..07): virtual drives, GPT, file systems, volumes, groups."""

    level: RaidLevel = RaidLevel.RAID5
    virtual_drives: int = 1
    drives: tuple[str, ...] = ()
    """Ids; empty = all that are unconfigured good."""
    spares: int = 0
    """Left over as global hot spares."""
    stripe_bytes: int = 256 * 1024
    spans: int = 0
    """Of levels 00, 10, 50 and 60; 0 = two, or pairs."""
    file_system: str = "xfs"
    names: tuple[str, ...] = ()
    """Of the virtual drives and their volumes; empty = A, B, C."""
    group_each: bool = True
    """One recording group a volume (row VO-07); else all go to `main`."""
    mount_root: str = "/srv/watchdeck"
    has_bitmap: bool = True
    dedicated_spares: tuple[str, ...] = ()
    """Ids of free drives that serve the one virtual drive made; with several, assign them afterwards."""


class ReplaceDrive(Operation, frozen=True, kw_only=True, tag="replace"):
    """The guided replacement of the drive in a bay."""

    drive: str


class TakeDownVolume(Operation, frozen=True, kw_only=True, tag="take_down"):
    """Recording off the volume, unmount, delete the virtual drive. Erases what is on it."""

    virtual_drive: str


ChassisOperation = RaidOperation | SetUpStorage | ReplaceDrive | TakeDownVolume


# -- what helps to choose ------------------------------------------------------------------------------------


class LevelChoice(Reply, frozen=True, kw_only=True):
    """A RAID level on the drives asked for: what it is good for, and what would come of it, or why it cannot be made."""

    level: RaidLevel
    strong: str
    weak: str
    use: str
    counts: str
    """`3 to 32 drives`."""
    refused: str = ""
    """Why it cannot be made of these drives; then the fields below are empty."""
    drives: int = 0
    """Of each virtual drive."""
    spans: int = 1
    span_choices: tuple[int, ...] = ()
    """Into how many spans the drives can be divided; one entry for a level without spans."""
    left_over: int = 0
    """Drives that go into no virtual drive."""
    usable_bytes: int = 0
    """Of each virtual drive, before the file system."""
    can_lose: int = 0
    """Drives that each virtual drive can lose for certain."""
    notes: tuple[str, ...] = ()
    """Allowed, but not good."""


class DriveChoice(Reply, frozen=True, kw_only=True):
    drive: str
    refused: str = ""
    """Why it cannot be used for a new virtual drive; empty = it can."""


class SetUpChoices(Reply, frozen=True, kw_only=True):
    """GET /v1/chassis/levels."""

    levels: tuple[LevelChoice, ...]
    drives: tuple[DriveChoice, ...]
    """All drives of the box, by bay."""
    stripes_bytes: tuple[int, ...]
    file_systems: tuple[str, ...]
    recommended: SetUpStorage
    """What the manual recommends for the free drives."""
    for_128_cameras: SetUpStorage
    """Eight drives, two RAID 5 of four, a volume and a recording group for each."""
    for_128_refused: str = ""
    """Why that cannot be made now."""
