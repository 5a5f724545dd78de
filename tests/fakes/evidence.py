"""Exports and keys for tests of what proves them."""

from __future__ import annotations

from pathlib import Path

from storage.evidence.manifest import ExportStatement, NamedUuid
from storage.evidence.station_key import StationKey, StationKeys
from storage.segments.export import ExportProof, ExportSource, plan_export
from tests.fakes.encoded_video import encoded, merged
from tests.fakes.segment_files import CAMERA, KEY, START_US, STATION, parts_of, write_run

LATER_US = START_US + 3600 * 1_000_000


def statement(comment: str = "") -> ExportStatement:
    return ExportStatement(
        software="watchdeck 1.2.3",
        station=NamedUuid(uuid=str(STATION), name="Warehouse"),
        exported_us=LATER_US,
        exported_by="anna",
        comment=comment,
    )


def proof(key: StationKey = KEY, known: StationKey = KEY, camera: str = str(CAMERA)) -> ExportProof:
    """Exports signed by `key`, of footage recorded under `known`."""
    keys = StationKeys(key, None, {each.fingerprint: each.public for each in (key, known)})
    return ExportProof(statement("stolen pallet"), NamedUuid(uuid=camera, name="Loading dock"), keys)


def recorded(
    root: Path, video: str = "h264", audio: str = "aac", *, is_hashed: bool = True, **options: int
) -> list[ExportSource]:
    """Segments of one run, as the catalog knows them."""
    streams = [encoded(video, **options)] + ([encoded(audio)] if audio else [])
    tracks, packets = merged(*streams)
    made = write_run(root, tracks, parts_of(tracks, packets), 2, is_hashed=is_hashed)
    return [ExportSource(path, start, end, done.video_duration_ticks) for path, done, start, end in made]


def exported(sources: list[ExportSource], path: Path, by: ExportProof | None = None) -> Path:
    """All of them as one signed file."""
    plan = plan_export(sources, sources[0].start_us, sources[-1].end_us, proof=by or proof())
    path.write_bytes(b"".join(plan.chunks(10_000)))
    assert path.stat().st_size == plan.total_bytes
    return path
