"""What a volume holds, by camera: what an operation that erases it would cost."""

from __future__ import annotations

from storage.catalog.changes import OpenSegment
from storage.catalog.db import Catalog
from storage.catalog.footage import joined_footage
from tests.storage.catalog.footage import SECOND, T0, add_camera, add_segment, add_volume, begin_run


def test_footage_is_counted_by_volume_and_camera_and_what_is_locked_apart(catalog: Catalog) -> None:
    gate, yard = add_camera(catalog, "gate"), add_camera(catalog, "yard")
    here, there = add_volume(catalog, "here"), add_volume(catalog, "there")
    run = begin_run(catalog, gate)
    for number in range(4):
        start_us = T0 + number * SECOND
        add_segment(catalog, run, number, here if number < 3 else there, start_us, start_us + SECOND, 100)
    add_segment(catalog, begin_run(catalog, yard), 0, here, T0 + SECOND, T0 + 5 * SECOND, 7)
    catalog.add_lock(camera_id=gate, start_us=T0 + SECOND, end_us=T0 + SECOND + 1, created_us=T0)

    assert catalog.footage_span(here) == (T0, T0 + 2 * SECOND + 1)
    of_gate, of_yard = catalog.footage_between(here, T0, T0 + 9 * SECOND)
    assert (of_gate.camera, of_gate.bytes, of_gate.locked_bytes, of_gate.segments) == ("gate", 300, 100, 3)
    assert (of_gate.start_us, of_gate.end_us) == (T0, T0 + 3 * SECOND)
    assert (of_yard.camera, of_yard.bytes, of_yard.locked_bytes, of_yard.end_us) == (
        "yard",
        7,
        0,
        T0 + 5 * SECOND,
    )


def test_windows_joined_are_the_whole(catalog: Catalog) -> None:
    gate, here = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, gate)
    for number in range(10):
        add_segment(catalog, run, number, here, T0 + number * SECOND, T0 + (number + 1) * SECOND, number + 1)
    whole = catalog.footage_between(here, T0, T0 + 10 * SECOND)
    parts = [
        part
        for number in range(0, 10, 3)
        for part in catalog.footage_between(here, T0 + number * SECOND, T0 + (number + 3) * SECOND)
    ]
    assert joined_footage(parts) == whole
    assert whole[0].bytes == catalog.volume_usage(here)


def test_what_is_being_recorded_counts_too(catalog: Catalog) -> None:
    gate, here = add_camera(catalog), add_volume(catalog)
    run = begin_run(catalog, gate)
    catalog.apply([OpenSegment(run, 0, here, "x/0.mp4", T0)])
    assert catalog.footage_span(here) is None
    assert [(part.camera_id, part.segments) for part in catalog.open_footage(here)] == [(gate, 1)]


def test_an_empty_volume_has_no_footage(catalog: Catalog) -> None:
    here = add_volume(catalog)
    assert catalog.footage_span(here) is None
    assert catalog.footage_between(here, 0, T0) == catalog.open_footage(here) == []
