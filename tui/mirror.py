"""What the console knows of the station: rebuilt from the engine's messages, never guessed.

Not a cache with its own opinions: each message replaces the object it names. The mirror also knows how
fresh it is; screens ask `is_live` before they show a number as the present. No Textual here.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from enum import Enum, Flag, auto

from engine import wire
from engine.wire_alarms import AlarmCounts, AlarmRaised, AlarmsMessage
from engine.wire_chassis import BayView, ChassisView, TrayPattern

EVENTS_KEPT = 500
"""Newest events in memory; older ones are read from the engine page by page."""
RAISED_KEPT = 50
"""Alarms raised last, for toasts; the list of them is the engine's."""
STALE_AFTER_S = 5.0
"""The engine sends its station view every second; five missed ones are worth saying."""


class Change(Flag):
    """What a message touched, so that only what shows it is drawn again."""

    NOTHING = 0
    STATION = auto()
    CAMERAS = auto()
    VOLUMES = auto()
    GROUPS = auto()
    EVENTS = auto()
    CHASSIS = auto()
    """Bays, drives, virtual drives, lamps, sensors and jobs."""
    ALARMS = auto()
    """Counts, or one was raised: lists ask again."""
    LINK = auto()
    """Connected, lost, fresh or stale."""
    WORDS = auto()
    """A state word changed, not only a number: draw at once instead of at the next second."""
    EVERYTHING = STATION | CAMERAS | VOLUMES | GROUPS | EVENTS | CHASSIS | ALARMS | LINK | WORDS


class Link(Enum):
    """How the console stands with the engine."""

    STARTING = "starting"
    """First attempt under way."""
    ABSENT = "absent"
    """No engine has answered since the console started."""
    LIVE = "live"
    LOST = "lost"
    """There was one; the mirror holds what it said last."""


Listener = Callable[[Change], None]


class Mirror:
    """The station as last told; one per console, event-loop thread only.

    Times are the engine's: `now_us` carries its clock on with this machine's monotonic one, so a wrong
    clock on the operator's machine never shifts a displayed age.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._listeners: list[Listener] = []
        self._heard_at = monotonic()
        self._clock_at = monotonic()
        self._clock_us = 0
        self.link = Link.STARTING
        self.lost_at_us = 0
        self.trouble = ""
        """Why there is no engine, in its own words."""
        self.sequence = -1
        self.station: wire.StationView | None = None
        self._cameras: dict[str, wire.CameraView] = {}
        self._volumes: dict[str, wire.VolumeView] = {}
        self._groups: dict[str, wire.GroupView] = {}
        self.chassis: ChassisView | None = None
        """None until the engine has looked at the drives."""
        self.events: list[wire.EventView] = []
        """Newest first, at most EVENTS_KEPT."""
        self.alarm_counts = AlarmCounts()
        self.raised: deque[AlarmRaised] = deque(maxlen=RAISED_KEPT)
        """Newest last; the oldest are forgotten."""
        self.raised_total = 0
        """How many have come, also those forgotten: whoever shows them knows what is new."""

    # -- what is known -----------------------------------------------------------------------------------

    @property
    def cameras(self) -> list[wire.CameraView]:
        """In the order of their numbers."""
        return sorted(self._cameras.values(), key=lambda camera: camera.id)

    @property
    def volumes(self) -> list[wire.VolumeView]:
        return sorted(self._volumes.values(), key=lambda volume: volume.id)

    @property
    def groups(self) -> list[wire.GroupView]:
        return sorted(self._groups.values(), key=lambda group: group.id)

    def camera(self, name: str) -> wire.CameraView | None:
        return next((camera for camera in self._cameras.values() if camera.name == name), None)

    def group(self, name: str) -> wire.GroupView | None:
        return self._groups.get(name)

    @property
    def now_us(self) -> int:
        """The engine's wall clock, carried on; 0 until it was heard."""
        if not self._clock_us:
            return 0
        return self._clock_us + round((self._monotonic() - self._clock_at) * 1_000_000)

    @property
    def at_s(self) -> float:
        """The monotonic clock that `now_us` is carried on with."""
        return self._monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the last message."""
        return self._monotonic() - self._heard_at

    @property
    def is_connected(self) -> bool:
        return self.link is Link.LIVE

    @property
    def is_live(self) -> bool:
        """True while what is shown may be called the present."""
        return self.link is Link.LIVE and self.age_s < STALE_AFTER_S

    # -- listening ---------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with what changed; returns the way to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)

    # -- messages ----------------------------------------------------------------------------------------

    def apply(self, message: wire.StreamMessage) -> Change:
        """Take in one message; older ones than the last snapshot are dropped."""
        self._heard_at = self._monotonic()
        if isinstance(message, wire.SnapshotMessage):
            change = self._take_snapshot(message.snapshot)
        elif message.sequence <= self.sequence:
            return Change.NOTHING
        else:
            self.sequence = message.sequence
            change = self._take(message)
        if change:
            self._tell(change)
        return change

    def lose(self, trouble: str) -> None:
        """The engine is gone: keep what it said, but no longer as the present."""
        was = self.link
        if was is Link.LIVE:
            self.link = Link.LOST
            self.lost_at_us = self.now_us
        elif was is Link.STARTING:
            self.link = Link.ABSENT
        if was is not self.link or trouble != self.trouble:
            self.trouble = trouble
            self._tell(Change.LINK | Change.WORDS)

    def _take_snapshot(self, snapshot: wire.Snapshot) -> Change:
        self.sequence = snapshot.sequence
        self._set_station(snapshot.station)
        self._cameras = {camera.uuid: camera for camera in snapshot.cameras}
        self._volumes = {volume.uuid: volume for volume in snapshot.volumes}
        self._groups = {group.name: group for group in snapshot.groups}
        self.chassis = snapshot.chassis
        self.alarm_counts = snapshot.alarms
        self.events = sorted(snapshot.events, key=lambda event: -event.id)[:EVENTS_KEPT]
        self.link = Link.LIVE
        self.trouble = ""
        return Change.EVERYTHING

    def _take(self, message: wire.StreamMessage) -> Change:
        match message:
            case wire.CameraMessage(camera=camera):
                known = self._cameras.get(camera.uuid)
                self._cameras[camera.uuid] = camera
                return Change.CAMERAS | _words(
                    known, camera, ("state", "cause", "name", "group", "is_enabled")
                )
            case wire.CameraRemoved(uuid=uuid):
                return self._drop(self._cameras, uuid, Change.CAMERAS)
            case wire.VolumeMessage(volume=volume):
                known_volume = self._volumes.get(volume.uuid)
                self._volumes[volume.uuid] = volume
                return Change.VOLUMES | _words(known_volume, volume, ("state", "cause", "name", "group"))
            case wire.VolumeRemoved(uuid=uuid):
                return self._drop(self._volumes, uuid, Change.VOLUMES)
            case wire.GroupMessage(group=group):
                return self._take_group(group)
            case wire.GroupRemoved(name=name):
                return self._drop(self._groups, name, Change.GROUPS)
            case wire.StationMessage(station=station):
                known_station = self.station
                self._set_station(station)
                numbers = ("cameras_recording", "cameras_expected", "cameras_total", "name")
                return Change.STATION | _words(known_station, station, numbers)
            case wire.ChassisMessage(chassis=chassis):
                known_chassis, self.chassis = self.chassis, chassis
                return Change.CHASSIS | _chassis_words(known_chassis, chassis)
            case wire.EventMessage(event=event):
                return self._take_event(event)
            case AlarmsMessage(counts=counts):
                return self._take_counts(counts)
            case AlarmRaised():
                self.raised.append(message)
                self.raised_total += 1
                return Change.ALARMS | Change.WORDS
        return Change.NOTHING  # a message of a later engine that this console does not know

    def _take_group(self, group: wire.GroupView) -> Change:
        for name, known in self._groups.items():
            if known.id == group.id and name != group.name:
                del self._groups[name]  # it was renamed
                break
        before = self._groups.get(group.name)
        self._groups[group.name] = group
        return Change.GROUPS | _words(
            before, group, ("cameras", "volumes", "is_below_retention", "retention_days")
        )

    def _take_event(self, event: wire.EventView) -> Change:
        at = bisect_left(self.events, -event.id, key=lambda known: -known.id)
        if at < len(self.events) and self.events[at].id == event.id:
            return Change.NOTHING
        self.events.insert(at, event)
        del self.events[EVENTS_KEPT:]
        return Change.EVENTS | Change.WORDS

    def _take_counts(self, counts: AlarmCounts) -> Change:
        if counts == self.alarm_counts:
            return Change.NOTHING
        self.alarm_counts = counts
        return Change.ALARMS | Change.WORDS

    def _set_station(self, station: wire.StationView) -> None:
        self.station = station
        self._clock_us = station.now_us
        self._clock_at = self._monotonic()

    @staticmethod
    def _drop(
        things: dict[str, wire.CameraView] | dict[str, wire.VolumeView] | dict[str, wire.GroupView],
        key: str,
        change: Change,
    ) -> Change:
        return change | Change.WORDS if things.pop(key, None) is not None else Change.NOTHING


def _chassis_words(before: ChassisView | None, after: ChassisView) -> Change:
    """WORDS when a lamp, a state or a job changed; progress, temperatures and times wait for the next second."""
    if before is None or _chassis_states(before) != _chassis_states(after):
        return Change.WORDS
    return Change.NOTHING


def _chassis_states(chassis: ChassisView) -> tuple[object, ...]:
    inventory = chassis.inventory
    return (
        tuple(_bay_state(bay) for bay in chassis.bays),
        tuple((drive.id, drive.state, drive.group, drive.spare) for drive in inventory.drives),
        tuple((drive.id, drive.state) for drive in inventory.virtual_drives),
        tuple((task.id, task.state) for task in inventory.tasks),
        tuple((job.id, job.state, job.needs, job.alarm, job.actions) for job in chassis.jobs),
        tuple((sensor.name, sensor.state) for sensor in chassis.sensors),
        chassis.information,
        chassis.problems,
    )


def _bay_state(bay: BayView) -> tuple[object, ...]:
    # Activity comes and goes many times a second: not worth a frame of its own.
    pattern = TrayPattern.IDLE if bay.pattern is TrayPattern.ACTIVE else bay.pattern
    return (bay.bay, pattern, bay.drive, bay.is_located)


def _words(before: object | None, after: object, names: tuple[str, ...]) -> Change:
    """WORDS when a named field differs; new objects count as different."""
    if before is None or any(getattr(before, name) != getattr(after, name) for name in names):
        return Change.WORDS
    return Change.NOTHING
