"""The mirror: what the engine said, in order, and how fresh it is."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine import wire
from engine.wire_alarms import AlarmCounts, AlarmRaised, AlarmsMessage, AlarmStatus, AlarmView
from engine.wire_chassis import TrayPattern
from tests.fakes import chassis_views
from tests.fakes.scripted_station import scripted_camera, scripted_snapshot
from tui.mirror import EVENTS_KEPT, RAISED_KEPT, Change, Link, Mirror

NOW_US = 1_772_633_000_000_000


class Hands:
    """Monotonic seconds moved by hand."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def filled(cameras: int = 3) -> tuple[Mirror, Hands]:
    hands = Hands()
    mirror = Mirror(hands)
    mirror.apply(wire.SnapshotMessage(snapshot=scripted_snapshot(cameras, NOW_US)))
    return mirror, hands


def test_a_snapshot_fills_everything_and_makes_the_mirror_live() -> None:
    mirror, _ = filled()
    assert mirror.link is Link.LIVE
    assert [camera.name for camera in mirror.cameras] == ["driveway", "front-door", "garden"]
    assert mirror.station is not None
    assert mirror.now_us == NOW_US
    assert mirror.events[0].id > mirror.events[-1].id


def test_the_engine_clock_is_carried_on_between_messages() -> None:
    mirror, hands = filled()
    hands.s += 2.5
    assert mirror.now_us == NOW_US + 2_500_000


def test_silence_makes_the_mirror_stale_and_a_message_live_again() -> None:
    mirror, hands = filled()
    hands.s += 6
    assert not mirror.is_live
    assert mirror.age_s == 6
    mirror.apply(wire.CameraMessage(sequence=101, camera=scripted_camera(1, NOW_US)))
    assert mirror.is_live


def test_losing_the_engine_keeps_the_last_values_and_the_moment() -> None:
    mirror, hands = filled()
    hands.s += 3
    mirror.lose("it is gone")
    assert mirror.link is Link.LOST
    assert mirror.lost_at_us == NOW_US + 3_000_000
    assert len(mirror.cameras) == 3
    hands.s += 60
    mirror.lose("it is gone")
    assert mirror.lost_at_us == NOW_US + 3_000_000


def test_no_engine_from_the_start_is_absent_not_lost() -> None:
    mirror = Mirror(Hands())
    mirror.lose("nobody answers")
    assert mirror.link is Link.ABSENT
    assert mirror.now_us == 0


def test_a_message_older_than_the_snapshot_is_dropped() -> None:
    mirror, _ = filled()
    renamed = msgspec.structs.replace(scripted_camera(1, NOW_US), name="old")
    assert mirror.apply(wire.CameraMessage(sequence=100, camera=renamed)) is Change.NOTHING
    assert mirror.camera("old") is None


def test_a_number_is_no_word_but_a_state_is() -> None:
    mirror, _ = filled()
    camera = msgspec.structs.replace(scripted_camera(1, NOW_US), bitrate_bps=1)
    assert mirror.apply(wire.CameraMessage(sequence=101, camera=camera)) == Change.CAMERAS
    camera = msgspec.structs.replace(camera, state=wire.CameraState.LOST)
    assert mirror.apply(wire.CameraMessage(sequence=102, camera=camera)) == Change.CAMERAS | Change.WORDS


def test_a_renamed_group_replaces_the_old_name() -> None:
    mirror, _ = filled()
    group = msgspec.structs.replace(mirror.groups[0], name="inside")
    mirror.apply(wire.GroupMessage(sequence=101, group=group))
    assert [each.name for each in mirror.groups] == ["inside", "perimeter"]


def test_listeners_hear_what_changed_until_they_stop() -> None:
    mirror, _ = filled()
    heard: list[Change] = []
    stop = mirror.listen(heard.append)
    mirror.apply(wire.CameraRemoved(sequence=101, name="garden", uuid=mirror.cameras[2].uuid))
    stop()
    mirror.apply(wire.VolumeRemoved(sequence=102, name="bay-1", uuid="v1"))
    assert heard == [Change.CAMERAS | Change.WORDS]
    assert len(mirror.cameras) == 2
    assert len(mirror.volumes) == 2


@given(st.lists(st.integers(1, 2000), max_size=200))
def test_events_stay_unique_newest_first_and_bounded(ids: list[int]) -> None:
    mirror, _ = filled(1)
    for sequence, id in enumerate(ids, 101):
        event = wire.EventView(id=id, time_us=NOW_US, kind="k", severity="info")
        mirror.apply(wire.EventMessage(sequence=sequence, event=event))
    kept = [event.id for event in mirror.events]
    assert kept == sorted(set(kept), reverse=True)
    assert len(kept) <= EVENTS_KEPT


@given(st.lists(st.tuples(st.sampled_from(["set", "remove"]), st.integers(1, 6)), max_size=60))
def test_the_mirror_equals_what_a_new_snapshot_would_show(steps: list[tuple[str, int]]) -> None:
    """Following the messages ends at the same cameras as asking afresh."""
    mirror, _ = filled(0)
    truth: dict[str, wire.CameraView] = {}
    for sequence, (what, number) in enumerate(steps, 101):
        camera = msgspec.structs.replace(scripted_camera(number, NOW_US), reconnects=sequence)
        message: wire.StreamMessage
        if what == "set":
            truth[camera.uuid] = camera
            message = wire.CameraMessage(sequence=sequence, camera=camera)
        else:
            truth.pop(camera.uuid, None)
            message = wire.CameraRemoved(sequence=sequence, name=camera.name, uuid=camera.uuid)
        mirror.apply(message)
    assert mirror.cameras == sorted(truth.values(), key=lambda camera: camera.id)


# -- the box ---------------------------------------------------------------------------------------------


def box_mirror() -> Mirror:
    mirror = Mirror(lambda: 1.0)
    snapshot = msgspec.structs.replace(scripted_snapshot(1, NOW_US), chassis=chassis_views.healthy_eight())
    mirror.apply(wire.SnapshotMessage(snapshot=snapshot))
    return mirror


def test_the_box_comes_with_the_snapshot_and_then_as_a_whole() -> None:
    mirror = box_mirror()
    assert mirror.chassis == chassis_views.healthy_eight()
    degraded = chassis_views.degraded_eight()
    assert mirror.apply(wire.ChassisMessage(sequence=200, chassis=degraded)) == Change.CHASSIS | Change.WORDS
    assert mirror.chassis == degraded


def test_progress_and_activity_of_drives_wait_for_the_next_second() -> None:
    mirror = box_mirror()
    box = chassis_views.degraded_eight()
    mirror.apply(wire.ChassisMessage(sequence=200, chassis=box))
    task = msgspec.structs.replace(box.inventory.tasks[0], progress=0.5)
    inventory = msgspec.structs.replace(box.inventory, tasks=(task, *box.inventory.tasks[1:]))
    idle = tuple(
        msgspec.structs.replace(bay, pattern=TrayPattern.IDLE) if bay.pattern is TrayPattern.ACTIVE else bay
        for bay in box.bays
    )
    after = msgspec.structs.replace(box, inventory=inventory, bays=idle)
    assert mirror.apply(wire.ChassisMessage(sequence=201, chassis=after)) == Change.CHASSIS


def test_alarm_counts_follow_the_engine_and_equal_ones_are_no_change() -> None:
    mirror, _ = filled()
    counts = AlarmCounts(new=12, critical=2, revision=7)
    change = mirror.apply(AlarmsMessage(sequence=101, counts=counts))
    assert change == Change.ALARMS | Change.WORDS
    assert mirror.alarm_counts == counts
    assert not mirror.apply(AlarmsMessage(sequence=102, counts=counts))


def test_alarms_raised_are_kept_for_toasts_and_the_oldest_are_forgotten() -> None:
    mirror, _ = filled()
    for number in range(RAISED_KEPT + 5):
        alarm = AlarmView(
            id=number + 1,
            rule="Motion",
            kind="detection.motion",
            source="driveway",
            severity="info",
            status=AlarmStatus.NEW,
            first_us=NOW_US,
            last_us=NOW_US,
            count=1,
            text="",
        )
        assert mirror.apply(AlarmRaised(sequence=101 + number, alarm=alarm)) & Change.ALARMS
    assert len(mirror.raised) == RAISED_KEPT
    assert mirror.raised[-1].alarm.id == mirror.raised_total == RAISED_KEPT + 5
