"""Is a segment file, straight from a volume, what the station recorded? Follows its hash chain, and that of its run. Rule 24.

Needs the file and, to know whose signatures they are, the public key. Memory stays at one part's tables. Blocking.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from storage.errors import FileError, WatchdeckError
from storage.evidence.findings import FileReport, Findings, KeyCheck, Verdict
from storage.evidence.public_key import PublicKey, grouped
from storage.evidence.recorded_check import RecordedCheck
from storage.segments.boxes import BoxError
from storage.segments.chain import (
    LINK_BOX_BYTES,
    NO_KEY,
    NO_LINK,
    Recorded,
    end_message,
    parse_end,
    parse_link,
)
from storage.segments.fmp4 import MEHD_BYTES, known_duration, part_index, unknown_duration
from storage.segments.fragments import PartScan, StoredPart, TailKind
from storage.segments.identity import IDENTITY_BOX_UUID
from storage.segments.places import PartPlace
from storage.segments.reader import open_segment_file
from storage.segments.stored_header import SegmentHeader, read_exactly, read_header
from storage.units import ticks_to_us

_KEPT_LINKS = 1000
_OPENING_BYTES = 64 * 1024
END_OPEN = "its end is not sealed: it is being recorded, was closed by a crash, or something is cut off"
_VERDICTS = {
    Recorded.MATCHED: (Verdict.MATCHED, ""),
    Recorded.ALTERED: (Verdict.NOT_MATCHED, "changed"),
    Recorded.UNHASHED: (Verdict.UNSIGNED, "without a signed hash"),
}


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """A report, and what it takes to hold it against the segments before and behind."""

    report: FileReport
    run: UUID | None = None
    sequence: int = 0
    previous: bytes = NO_LINK
    links: tuple[bytes, ...] = ()
    """The last ones; the very last is the last."""
    is_end_open: bool = False


def looks_like_segment(path: Path) -> bool:
    """It opens with a segment's header; what follows may be anything."""
    try:
        fd = open_segment_file(path)
    except WatchdeckError:
        return False
    try:
        return IDENTITY_BOX_UUID.bytes in os.pread(fd, _OPENING_BYTES, 0)
    except OSError:
        return False
    finally:
        os.close(fd)


def verify_segment(path: Path, is_named_key: KeyCheck | None = None) -> SegmentFinding:
    """Every part of it. Raises FileError when it cannot be read."""
    name = str(path)
    try:
        fd = open_segment_file(path)
    except WatchdeckError as exc:
        raise FileError(exc.what, exc.remedy) from exc
    try:
        size_bytes = os.fstat(fd).st_size
        try:
            header = read_header(fd)
        except BoxError as exc:
            findings = Findings()
            findings.part(Verdict.NOT_MATCHED, 0, size_bytes, f"the header was changed: {exc.what}")
            return SegmentFinding(findings.report(name, "recording", size_bytes))
        return _Segment(fd, name, size_bytes, header, is_named_key).finding()
    except OSError as exc:
        raise FileError(f"{name} cannot be read: {exc.strerror}", "copy it again") from exc
    finally:
        os.close(fd)


class _Segment:
    """One opened segment on its way through the checks."""

    def __init__(
        self, fd: int, name: str, size_bytes: int, header: SegmentHeader, is_named_key: KeyCheck | None
    ) -> None:
        self._fd = fd
        self._name = name
        self._size_bytes = size_bytes
        self._header = header
        self._findings = Findings()
        self._links: list[bytes] = []
        self._places: list[PartPlace] = []
        self._duration_ticks = 0
        self._key: PublicKey | None = None
        if header.start is not None and header.start.public_key != NO_KEY:
            self._key = PublicKey(header.start.public_key)
        self._is_foreign = is_named_key is not None and self._key is not None and not is_named_key(self._key)
        self._is_key_given = is_named_key is not None and self._key is not None and not self._is_foreign

    def finding(self) -> SegmentFinding:
        header, findings = self._header, self._findings
        check = RecordedCheck(self._fd, header, {self._key.fingerprint: self._key} if self._key else {})
        if self._is_foreign and self._key is not None:
            findings.troubles.append(
                f"signed by another key than the one given: {grouped(self._key.fingerprint)}"
            )
        if not check.is_header_right:
            findings.troubles.append("the header was changed: camera, times, or how pictures are decoded")
        scan = PartScan(self._fd, header, header.size_bytes)
        for part in scan:
            self._part(part, check)
        is_end_open = self._end(scan)
        about: dict[str, object] = {
            "camera": header.identity.camera_name,
            "start_us": header.identity.start_us,
            "end_us": self._wall_us(self._duration_ticks),
            "key": self._key.fingerprint.hex() if self._key else "",
            "is_key_given": self._is_key_given,
        }
        report = findings.report(self._name, "recording", self._size_bytes, **about)
        return SegmentFinding(
            report,
            header.identity.run,
            header.identity.sequence,
            header.start.previous if header.start else NO_LINK,
            tuple(self._links),
            is_end_open,
        )

    def _wall_us(self, ticks: int) -> int:
        hz = self._header.tracks[self._header.video].time_base_hz
        return self._header.identity.start_us + ticks_to_us(ticks, hz)

    def _part(self, part: StoredPart, check: RecordedCheck) -> None:
        place = part.place
        verdict, why = _VERDICTS[check.part(place.offset_bytes, place.size_bytes)]
        if self._is_foreign:
            verdict, why = Verdict.NOT_MATCHED, "what is signed is not known to be the station's"
        video = part.run_of(self._header.video)
        start_us = self._wall_us(place.start_ticks)
        end_us = max(self._wall_us(video.end_ticks), start_us) if video else start_us
        self._findings.part(verdict, place.offset_bytes, place.size_bytes, why, (start_us, end_us))
        self._places.append(place)
        self._duration_ticks = max(self._duration_ticks, video.end_ticks if video else 0)
        link = parse_link(os.pread(self._fd, LINK_BOX_BYTES, place.offset_bytes + place.size_bytes))
        if link is not None:
            self._links.append(link[0])
            del self._links[:-_KEPT_LINKS]

    def _end(self, scan: PartScan) -> bool:
        """What follows the parts; returns whether the segment may have gone on."""
        findings, tail = self._findings, scan.tail
        assert tail is not None
        if tail.kind is TailKind.DAMAGED:
            findings.part(
                Verdict.NOT_MATCHED,
                tail.offset_bytes,
                self._size_bytes - tail.offset_bytes,
                f"unreadable from here on: {tail.what}",
                (self._wall_us(self._duration_ticks),) * 2,
            )
        elif tail.kind is TailKind.TORN:
            findings.troubles.append(f"cut off at byte {self._size_bytes}, in the middle of a part")
        elif tail.kind is TailKind.INDEX:
            self._check_index(tail.offset_bytes)
        self._check_duration()
        if self._header.start is None or self._key is None:
            return False
        end = parse_end(scan.end_box)
        if end is None:
            if scan.end_box:
                findings.troubles.append("its sealed end was changed")
            return not scan.end_box
        is_right = (
            self._key.verifies(end_message(end), end.signature) and end.fingerprint == self._key.fingerprint
        )
        if not is_right:
            findings.troubles.append("its sealed end was changed, or is another segment's")
        elif not self._links or end.link != self._links[-1] or end.part_count != len(self._places):
            findings.troubles.append(
                f"parts were taken away or added: it ended with {end.part_count} parts, now there are {len(self._places)}"
            )
        elif end.is_recovered:
            findings.notes.append("closed after a crash: it ended like this when the station came back")
        return False

    def _check_index(self, offset_bytes: int) -> None:
        """Index and duration follow from the parts: what else is there was changed."""
        header = self._header
        index = part_index(self._places, header.video, header.zeros_ticks[header.video])
        found = read_exactly(self._fd, min(len(index), self._size_bytes - offset_bytes), offset_bytes)
        if found != index:
            self._findings.troubles.append("the index of keyframes was changed")
        if self._size_bytes > offset_bytes + len(index):
            appended_bytes = self._size_bytes - offset_bytes - len(index)
            self._findings.troubles.append(f"{appended_bytes} bytes were appended")

    def _check_duration(self) -> None:
        """The one box of the header that is written when the segment is closed."""
        header = self._header
        found = read_exactly(self._fd, MEHD_BYTES, header.mehd_offset_bytes)
        stated = unknown_duration() if header.duration_ticks is None else known_duration(self._duration_ticks)
        if found != stated:
            self._findings.troubles.append("the stated duration is not that of the pictures")


# -- runs ------------------------------------------------------------------------------------------------


def verify_runs(found: Iterable[SegmentFinding]) -> list[FileReport]:
    """Reports of all segments, each held against its neighbours in its run; by run and place in it."""
    ordered = sorted(found, key=lambda each: (str(each.run), each.sequence, each.report.name))
    reports = []
    for index, this in enumerate(ordered):
        before = ordered[index - 1] if index else None
        behind = ordered[index + 1] if index + 1 < len(ordered) else None
        troubles, notes = list(this.report.troubles), list(this.report.notes)
        if this.links and this.run is not None:
            _hold_against_before(this, before, troubles, notes)
            if this.is_end_open and not _is_continued(this, behind):
                troubles.append(END_OPEN)
        reports.append(msgspec.structs.replace(this.report, troubles=tuple(troubles), notes=tuple(notes)))
    return reports


def _is_continued(this: SegmentFinding, behind: SegmentFinding | None) -> bool:
    return (
        behind is not None
        and (behind.run, behind.sequence) == (this.run, this.sequence + 1)
        and behind.previous == this.links[-1]
    )


def _hold_against_before(
    this: SegmentFinding, before: SegmentFinding | None, troubles: list[str], notes: list[str]
) -> None:
    if this.sequence == 0:
        if this.previous != NO_LINK:
            troubles.append("it is the first of its run, and yet continues another segment")
        return
    if before is None or before.run != this.run or before.sequence + 1 != this.sequence:
        notes.append("the segment before it in its run was not looked at")
    elif not before.links:
        notes.append("the segment before it has no hashes")
    elif this.previous == before.links[-1]:
        notes.append(f"continues {Path(before.report.name).name} without a hole")
    elif this.previous in before.links:
        notes.append(
            f"continues {Path(before.report.name).name} from before its end: the volume was changed there"
        )
    else:
        troubles.append(f"it does not continue {Path(before.report.name).name}")
