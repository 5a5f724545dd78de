"""A real volume on a scratch folder that fails on command."""

from __future__ import annotations

import errno
import os
import threading

from storage.catalog.records import Volume as VolumeRecord
from storage.segments.chain import RunChain
from storage.segments.identity import SegmentIdentity
from storage.segments.packet import Track
from storage.segments.part import Part
from storage.segments.places import PartPlace
from storage.segments.writer import SegmentSummary, SegmentWriter
from storage.volumes.errno_map import volume_error
from storage.volumes.volume import Space, Volume


class Faults:
    """What a volume does wrong from now on; shared by all its openings. Set from any thread."""

    def __init__(self) -> None:
        self.write_errno = 0
        """Of creating and appending: ENOSPC, EIO, EROFS ..."""
        self.check_errno = 0
        self.sync_errno = 0
        self.free_bytes: int | None = None
        """What the file system claims to have left."""
        self.total_bytes = 1_000_000_000_000
        self.syncs = 0
        self.appends = 0
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.hanging = threading.Event()
        """Set while an operation hangs."""

    def hang(self) -> None:
        """The next operation that writes does not end before `release`."""
        self._may_go_on.clear()

    def release(self) -> None:
        self._may_go_on.set()

    def pass_or_hang(self) -> None:
        if not self._may_go_on.is_set():
            self.hanging.set()
            self._may_go_on.wait()
            self.hanging.clear()


class FaultyWriter:
    """A SegmentWriter behind the faults of its volume."""

    def __init__(self, writer: SegmentWriter, faults: Faults, name: str) -> None:
        self._writer = writer
        self._faults = faults
        self._name = name

    def append(self, part: Part) -> PartPlace:
        self._faults.pass_or_hang()
        self._faults.appends += 1
        _raise(self._faults.write_errno, self._name)
        return self._writer.append(part)

    def close(self) -> SegmentSummary:
        self._faults.pass_or_hang()
        if self._faults.write_errno != errno.ENOSPC:
            _raise(self._faults.write_errno, self._name)
        return self._writer.close()

    def abandon(self) -> None:
        self._writer.abandon()

    @property
    def bytes_written(self) -> int:
        return self._writer.bytes_written

    @property
    def video_duration_ticks(self) -> int:
        return self._writer.video_duration_ticks


class FaultyVolume(Volume):
    """A Volume with faults. Opened through `FaultyVolumes.open_volume`."""

    def __init__(self, record: VolumeRecord, faults: Faults) -> None:
        super().__init__(record)
        self._faults = faults

    def check(self) -> None:
        if self._faults.check_errno:
            self.close()
        _raise(self._faults.check_errno, self.record.name)
        super().check()

    def space(self) -> Space:
        if self._faults.free_bytes is None:
            return super().space()
        return Space(self._faults.total_bytes, self._faults.free_bytes)

    def create_segment(
        self,
        relative: str,
        identity: SegmentIdentity,
        tracks: tuple[Track, ...],
        chain: RunChain | None = None,
    ) -> SegmentWriter:
        self._faults.pass_or_hang()
        _raise(self._faults.write_errno, self.record.name)
        writer = super().create_segment(relative, identity, tracks, chain)
        return FaultyWriter(writer, self._faults, self.record.name)  # type: ignore[return-value]

    def remove_segment(self, relative: str) -> int:
        size_bytes = super().remove_segment(relative)
        if self._faults.free_bytes is not None:
            self._faults.free_bytes += size_bytes
        return size_bytes

    def sync(self) -> None:
        self._faults.syncs += 1
        _raise(self._faults.sync_errno, self.record.name)
        super().sync()


class FaultyVolumes:
    """Faults by volume name."""

    def __init__(self) -> None:
        self._faults: dict[str, Faults] = {}

    def __getitem__(self, name: str) -> Faults:
        return self._faults.setdefault(name, Faults())

    def open_volume(self, record: VolumeRecord) -> Volume:
        return FaultyVolume(record, self[record.name])

    def release_all(self) -> None:
        for faults in self._faults.values():
            faults.release()


def _raise(number: int, name: str) -> None:
    if number:
        raise volume_error(OSError(number, os.strerror(number)), name)
