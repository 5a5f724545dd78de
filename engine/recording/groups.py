"""A recording group at work: which of its volumes a camera writes to. Loop only.

Sticky: a camera stays on its volume from segment to segment, so that its footage lies together, unless that
volume is out of order or another one has clearly more room for each of its cameras.
"""

from __future__ import annotations

from uuid import UUID

from engine.recording.volume_thread import VolumeThread
from engine.wire import VolumeState
from storage.catalog.records import GapCause, Group, GroupUsage

MOVE_FACTOR = 2
"""A camera moves at a segment's end when another volume offers it this many times the room."""

_CAUSES = {
    VolumeState.FULL: GapCause.VOLUME_FULL,
    VolumeState.MISSING: GapCause.VOLUME_MISSING,
    VolumeState.MISMATCH: GapCause.VOLUME_MISSING,
    VolumeState.READ_ONLY: GapCause.VOLUME_FAILED,
    VolumeState.FAILED: GapCause.VOLUME_FAILED,
    VolumeState.STALLED: GapCause.VOLUME_STALLED,
}


class RecordingGroup:
    """Cameras that share volumes."""

    def __init__(self, record: Group) -> None:
        self.record = record
        self.volumes: dict[UUID, VolumeThread] = {}
        self.usage: GroupUsage | None = None
        """As last read from the catalog."""
        self._assigned: dict[UUID, VolumeThread] = {}

    def choose(self, camera: UUID) -> VolumeThread | None:
        """The volume this camera's next segment goes to; None when none takes it."""
        usable = [volume for volume in self.volumes.values() if volume.accepts and volume.room_bytes > 0]
        if not usable:
            return None
        current = self._assigned.get(camera)
        best = max(usable, key=lambda volume: self._share_bytes(volume, camera))
        if current in usable and self._share_bytes(best, camera) < MOVE_FACTOR * self._share_bytes(
            current, camera
        ):
            best = current
        self._assigned[camera] = best
        return best

    def release(self, camera: UUID) -> None:
        """The camera is gone from this group."""
        self._assigned.pop(camera, None)

    def why_none(self) -> tuple[GapCause, str]:
        """Why no volume takes anything, in words."""
        if not self.volumes:
            return GapCause.NO_VOLUME, f"recording group {self.record.name} has no volume"
        in_trouble = [volume for volume in self.volumes.values() if not volume.is_ok]
        if not in_trouble:
            names = ", ".join(volume.name for volume in self.volumes.values())
            if all(volume.accepts for volume in self.volumes.values()):
                return GapCause.VOLUME_FULL, f"no room above the floor of {names}"
            return GapCause.VOLUME_STALLED, f"the queue of {names} is full"
        words = "; ".join(volume.cause for volume in in_trouble)
        return _CAUSES[in_trouble[0].state], words

    def _share_bytes(self, volume: VolumeThread, camera: UUID) -> int:
        """Room for each camera of the volume, if this one were on it."""
        others = sum(1 for other, used in self._assigned.items() if used is volume and other != camera)
        return volume.room_bytes // (others + 1)
