"""For `watchdeck fsck --footage`: reads all recordings of a volume and finds those that are not what was recorded. Blocking for hours.

Nothing is changed. What was recorded without hashes proves nothing and is no finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from storage.catalog.check import Finding, FindingKind
from storage.errors import FileError, VolumeError
from storage.evidence.findings import FileReport
from storage.evidence.public_key import PublicKey
from storage.evidence.verify_segment import verify_segment
from storage.volumes.volume import Volume

_REMEDY = "nothing puts it back: look for who or what wrote to the volume; an export of it will say so, too"


def check_footage(volumes: Iterable[Volume], known: Mapping[bytes, PublicKey]) -> Iterator[Finding]:
    """A finding for each altered recording, and one for each volume that cannot be read."""
    for volume in volumes:
        try:
            for relative in volume.segment_files():
                finding = _finding(volume, relative, known)
                if finding is not None:
                    yield finding
        except VolumeError as error:
            yield Finding(
                kind=FindingKind.VOLUME_UNREADABLE,
                what=error.what,
                remedy=error.remedy,
                volume=volume.record.name,
            )


def _finding(volume: Volume, relative: str, known: Mapping[bytes, PublicKey]) -> Finding | None:
    path = volume.root / relative
    try:
        report = verify_segment(path, lambda key: key.fingerprint in known).report
    except FileError as error:
        if not path.exists():
            return None  # recycled, or moved by the repair that came before
        return _found(volume, relative, "", error.what)
    words = _words(report)
    return _found(volume, relative, report.camera, words) if words else None


def _words(report: FileReport) -> str:
    """Empty when nothing is wrong, as far as can be told."""
    if not (report.not_matched or report.troubles):
        return ""
    found = list(report.troubles)
    if report.first_altered is not None:
        found.append(
            f"{report.not_matched} of {report.matched + report.not_matched + report.without_signature} parts were changed,"
            f" the first at byte {report.first_altered.offset_bytes}"
        )
    return "; ".join(found)


def _found(volume: Volume, relative: str, camera: str, words: str) -> Finding:
    return Finding(
        kind=FindingKind.ALTERED_FOOTAGE,
        what=f"{relative}: {words}",
        remedy=_REMEDY,
        camera=camera,
        volume=volume.record.name,
        path=str(volume.root / relative),
    )
