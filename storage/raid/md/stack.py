"""Which md arrays make one virtual drive: a plain array, or a raid0 over legs (levels 00, 10, 50, 60).

Health is computed from the legs up: the raid0 on top has no `degraded` and says clean while a leg has failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.raid.levels import span_can_lose, state_of_span
from storage.raid.md.memory import KnownArray
from storage.raid.md.sysfs import MdArray
from storage.raid.states import RaidLevel, VirtualDriveState

_PLAIN = {
    "raid0": RaidLevel.RAID0,
    "raid1": RaidLevel.RAID1,
    "raid4": RaidLevel.RAID0,  # only while a raid0 grows: see is_ours
    "raid5": RaidLevel.RAID5,
    "raid6": RaidLevel.RAID6,
    "raid10": RaidLevel.RAID10,
}
_NESTED = {
    "raid0": RaidLevel.RAID00,
    "raid1": RaidLevel.RAID10,
    "raid10": RaidLevel.RAID10,
    "raid5": RaidLevel.RAID50,
    "raid6": RaidLevel.RAID60,
}
_SPAN_LEVEL = {
    RaidLevel.RAID00: RaidLevel.RAID0,
    RaidLevel.RAID10: RaidLevel.RAID1,
    RaidLevel.RAID50: RaidLevel.RAID5,
    RaidLevel.RAID60: RaidLevel.RAID6,
}


def group_id(uuid: str) -> str:
    """Of an array's UUID; without colons, which separate the parts of a task's id."""
    return f"md-{uuid.replace(':', '-')}"


@dataclass(frozen=True, slots=True)
class SpanPlace:
    """Slots of one leg that stand for each other."""

    leg: int
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One virtual drive; arrays that are not there now are None."""

    uuid: str
    name: str
    level: RaidLevel
    top: MdArray | None
    legs: tuple[MdArray | None, ...]
    leg_uuids: tuple[str, ...]
    known: KnownArray | None = None
    here: frozenset[str] = frozenset()
    """Of one that is not assembled: the drives in this machine that carry a member of it."""

    @property
    def id(self) -> str:
        return group_id(self.uuid)

    @property
    def is_nested(self) -> bool:
        return self.leg_uuids != (self.uuid,)

    @property
    def is_active(self) -> bool:
        return self.top is not None

    @property
    def present_legs(self) -> tuple[MdArray, ...]:
        return tuple(leg for leg in self.legs if leg is not None)

    @property
    def uuids(self) -> tuple[str, ...]:
        """Its own first."""
        return tuple(dict.fromkeys((self.uuid, *self.leg_uuids)))

    def slots_of(self, leg: int) -> int:
        array = self.legs[leg]
        if array is not None and array.wanted:
            return array.wanted
        return len(self.known.slots[leg]) if self.known is not None and leg < len(self.known.slots) else 0

    def spans(self) -> tuple[SpanPlace, ...]:
        places: list[SpanPlace] = []
        for number, array in enumerate(self.legs):
            count = self.slots_of(number)
            is_paired = array.is_near_pairs if array is not None else self.level is RaidLevel.RAID10
            if is_paired and count > 2 and count % 2 == 0:
                places += [SpanPlace(number, first, 2) for first in range(0, count, 2)]
            else:
                places.append(SpanPlace(number, 0, count))
        return tuple(places)

    def lost_in(self, place: SpanPlace) -> int:
        array = self.legs[place.leg]
        if array is not None:
            return array.lost(place.first, place.count)
        return place.count if self.is_active else self._absent_in(place)

    def _absent_in(self, place: SpanPlace) -> int:
        slots = (
            self.known.slots[place.leg]
            if self.known is not None and place.leg < len(self.known.slots)
            else ()
        )
        last = slots[place.first : place.first + place.count]
        return sum(drive is None or drive.id not in self.here for drive in last)

    def is_initialising(self, place: SpanPlace, initialising: Mapping[str, str]) -> bool:
        """A new RAID 5 builds its parity as a recovery onto its last drive: [UU_], but nothing has failed."""
        array = self.legs[place.leg]
        return (
            array is not None
            and bool(initialising.get(self.leg_uuids[place.leg]))
            and self.lost_in(place) == 1
            and any(member.is_filling for member in array.members)
        )

    def span_state(self, place: SpanPlace, initialising: Mapping[str, str]) -> VirtualDriveState:
        array = self.legs[place.leg]
        if array is None and not self.is_active:
            return self._state_of_losses(place)
        if array is None or array.state == "broken":
            return VirtualDriveState.FAILED
        if self.is_initialising(place, initialising) or array.level == "raid4":
            # A raid0 that grows is a raid4 without its parity drive meanwhile: [4/3], nothing is lost.
            return VirtualDriveState.ONLINE
        return self._state_of_losses(place)

    def _state_of_losses(self, place: SpanPlace) -> VirtualDriveState:
        lost = self.lost_in(place)
        if self._is_wide_mirror(place):
            if lost == place.count:
                return VirtualDriveState.FAILED
            return VirtualDriveState.DEGRADED if lost else VirtualDriveState.ONLINE
        return state_of_span(_SPAN_LEVEL.get(self.level, self.level), lost)

    def span_can_lose(self, place: SpanPlace) -> int:
        array = self.legs[place.leg]
        if array is None or array.state == "broken":
            return 0
        lost = self.lost_in(place)
        if self._is_wide_mirror(place):
            return max(0, place.count - 1 - lost)
        return span_can_lose(_SPAN_LEVEL.get(self.level, self.level), lost)

    def _is_wide_mirror(self, place: SpanPlace) -> bool:
        """A mirror of more than two, made by hand."""
        array = self.legs[place.leg]
        if array is None:
            return self.level is RaidLevel.RAID1 and place.count > 2
        return array.level == "raid1" and array.wanted > 2

    def state(self, initialising: Mapping[str, str]) -> VirtualDriveState:
        """One that is not assembled has failed when its drives are gone: `mdadm --incremental --fail`, which udev runs when a drive
        is pulled, stops an array that cannot miss it and that nobody has mounted."""
        if self.top is None:
            is_lost = any(self._state_of_losses(p) is VirtualDriveState.FAILED for p in self.spans())
            return VirtualDriveState.FAILED if is_lost else VirtualDriveState.OFFLINE
        if self.top.state == "broken":
            return VirtualDriveState.FAILED
        if self.is_nested and any(not member.is_there for member in self.top.members):
            return VirtualDriveState.FAILED
        states = {self.span_state(place, initialising) for place in self.spans()}
        for worst in (
            VirtualDriveState.FAILED,
            VirtualDriveState.DEGRADED,
            VirtualDriveState.PARTIALLY_DEGRADED,
        ):
            if worst in states:
                return worst
        return VirtualDriveState.ONLINE


def is_ours(array: MdArray, drive_names: set[str], array_names: set[str], partitions: set[str]) -> bool:
    """Made of whole drives with a superblock of version 1: what Watchdeck itself makes. Others are only protected."""
    if not array.is_active or not array.uuid or not array.metadata.startswith("1."):
        return False
    if array.level not in _PLAIN or (array.level == "raid4" and array.reshape_at is None):
        return False
    return all(
        member.name in drive_names
        or member.name in array_names
        or (not member.is_there and member.name not in partitions)
        for member in array.members
    )


def build_stacks(
    arrays: Sequence[MdArray], known: Mapping[str, KnownArray], carriers: Mapping[str, frozenset[str]]
) -> list[Stack]:
    """Of arrays that are ours, and of those that are remembered but not there. `carriers`: array UUID -> ids of the drives with a
    superblock of it."""
    by_device = {array.device: array for array in arrays}
    by_uuid = {array.uuid: array for array in arrays}
    stacks: list[Stack] = []
    inner: set[str] = set()
    for top in arrays:
        if any(member.name.startswith("md") for member in top.members):
            stack = _nested(top, by_device, by_uuid, known.get(top.uuid))
            stacks.append(stack)
            inner |= set(stack.leg_uuids)
    tops = {stack.uuid for stack in stacks}
    for uuid, gone in known.items():
        if uuid not in by_uuid:
            inner |= set(gone.legs) - {uuid}
            stacks.append(_remembered(uuid, gone, by_uuid, carriers))
    for array in arrays:
        if array.uuid not in inner and array.uuid not in tops:
            memory = known.get(array.uuid)
            stacks.append(
                Stack(
                    uuid=array.uuid,
                    name=array.name or (memory.name if memory else "") or array.device,
                    level=_PLAIN[array.level],
                    top=array,
                    legs=(array,),
                    leg_uuids=(array.uuid,),
                    known=memory,
                )
            )
    return sorted(stacks, key=lambda stack: (stack.name, stack.uuid))


def _nested(
    top: MdArray, by_device: Mapping[str, MdArray], by_uuid: Mapping[str, MdArray], known: KnownArray | None
) -> Stack:
    legs: list[MdArray | None] = []
    uuids: list[str] = []
    for slot in range(top.wanted):
        member = next(iter(top.in_slot(slot)), None)
        leg = by_device.get(member.name) if member is not None else None
        remembered = known.legs[slot] if known is not None and slot < len(known.legs) else ""
        if leg is None and remembered:
            leg = by_uuid.get(remembered)
        legs.append(leg)
        uuids.append(leg.uuid if leg is not None else remembered)
    level = next((_NESTED[leg.level] for leg in legs if leg is not None and leg.level in _NESTED), None)
    return Stack(
        uuid=top.uuid,
        name=top.name or (known.name if known else "") or top.device,
        level=level or (known.level if known else RaidLevel.RAID00),
        top=top,
        legs=tuple(legs),
        leg_uuids=tuple(uuids),
        known=known,
    )


def _remembered(
    uuid: str, known: KnownArray, by_uuid: Mapping[str, MdArray], carriers: Mapping[str, frozenset[str]]
) -> Stack:
    return Stack(
        uuid=uuid,
        name=known.name,
        level=known.level,
        top=None,
        legs=tuple(by_uuid.get(leg) for leg in known.legs),
        leg_uuids=known.legs,
        known=known,
        here=frozenset().union(*(carriers.get(leg, frozenset()) for leg in known.legs)),
    )
