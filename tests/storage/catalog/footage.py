"""Fills a catalog with footage for tests."""

from __future__ import annotations

from uuid import UUID, uuid4

from storage.catalog.changes import BeginRun, CloseSegment, OpenSegment
from storage.catalog.db import Catalog
from storage.segments.packet import Codec, Track

T0 = 1_767_225_600_000_000
SECOND = 1_000_000
TRACKS = (Track(codec=Codec.H264, time_base_hz=90_000, parameter_sets=(b"\x67\x01", b"\x68\x02"), width=640),)


def add_camera(catalog: Catalog, name: str = "gate") -> int:
    return catalog.add_camera(name=name, url="rtsp://192.0.2.1/stream").id


def add_volume(catalog: Catalog, name: str = "array", group: str = "main") -> int:
    return catalog.add_volume(
        uuid=uuid4(), name=name, path=f"/srv/{name}", group=group, floor_bytes=1 << 30
    ).id


def begin_run(catalog: Catalog, camera_id: int, start_us: int = T0) -> UUID:
    run = uuid4()
    catalog.apply([BeginRun(run, camera_id, start_us, TRACKS)])
    return run


def add_segment(
    catalog: Catalog,
    run: UUID,
    sequence: int,
    volume_id: int,
    start_us: int,
    end_us: int,
    size_bytes: int = 1000,
) -> int:
    """A closed segment; returns its id."""
    catalog.apply(
        [
            OpenSegment(run, sequence, volume_id, f"{run}/{sequence}.mp4", start_us),
            CloseSegment(run, sequence, end_us, (end_us - start_us) * 9 // 100, size_bytes, b"keys"),
        ]
    )
    row = catalog._row(
        "SELECT id FROM segment WHERE run_id = (SELECT id FROM run WHERE uuid = ?) AND sequence = ?",
        (run.bytes, sequence),
    )
    assert row is not None
    return int(row[0])
