"""What is remembered so that it is said once: sensors, health, the kernel's messages, what was planned."""

from __future__ import annotations

from engine.chassis.happenings import KINDS, Happening
from engine.chassis.health_changes import HealthTeller, self_test_result
from engine.chassis.notices import WINDOW_LIMIT, NoticeTeller
from engine.chassis.planned import Planned
from engine.chassis.sensor_changes import PROBES, SensorTeller, kind_of
from storage.catalog.records import Severity
from storage.drives.health import DriveHealth, Verdict
from storage.drives.sensors import Sensor, SensorKind, SensorState
from storage.drives.smart_report import SelfTestResult, SmartReport
from storage.raid.inventory import Task
from storage.raid.operations import ReplaceMember, SetOffline, StopTask
from storage.raid.states import DriveState, RaidLevel, TaskKind, TaskState
from tests.engine.chassis.raids import drive, raid, without

ON = DriveState.ONLINE
MINUTE_US = 60_000_000


def kinds(said: list[Happening]) -> list[str]:
    return [each.kind for each in said]


# -- sensors ---------------------------------------------------------------------------------------------


def sensor(kind: SensorKind, state: SensorState, **more: object) -> Sensor:
    return Sensor(name="X1", kind=kind, state=state, **more)  # type: ignore[arg-type]


def heard(teller: SensorTeller, kind: SensorKind, *states: SensorState) -> list[str]:
    return [each.kind for state in states for each in teller.update([sensor(kind, state)])[1]]


OK, FAILED, ABSENT = SensorState.OK, SensorState.FAILED, SensorState.ABSENT


def test_fan_counts_as_failed_when_it_was_seen_five_times_in_a_row() -> None:
    teller = SensorTeller()
    assert heard(teller, SensorKind.FAN, OK, *[FAILED] * (PROBES - 1), OK, *[FAILED] * (PROBES - 1)) == []
    assert heard(teller, SensorKind.FAN, FAILED) == ["fan.failed"]
    assert heard(teller, SensorKind.FAN, *[FAILED] * 9) == []
    assert heard(teller, SensorKind.FAN, *[OK] * PROBES) == ["fan.ok"]


def test_state_that_is_not_believed_yet_is_not_shown() -> None:
    teller = SensorTeller()
    teller.update([sensor(SensorKind.FAN, OK)])
    [shown], _ = teller.update([sensor(SensorKind.FAN, FAILED, value=0, unit="rpm")])
    assert (shown.state, shown.value) == (OK, 0)


def test_power_supply_is_believed_at_once() -> None:
    teller = SensorTeller()
    assert heard(teller, SensorKind.POWER_SUPPLY, OK, FAILED) == ["power.failed"]
    assert heard(teller, SensorKind.POWER_SUPPLY, OK, ABSENT, OK) == ["power.ok", "power.failed", "power.ok"]


def test_trouble_that_was_there_at_the_start_is_said_and_an_empty_socket_is_not() -> None:
    assert heard(SensorTeller(), SensorKind.POWER_SUPPLY, FAILED) == ["power.failed"]
    assert heard(SensorTeller(), SensorKind.FAN, *[ABSENT] * 9) == []
    assert heard(SensorTeller(), SensorKind.TEMPERATURE, *[FAILED] * PROBES) == ["temperature.critical"]


def test_text_names_the_sensor_its_reading_and_what_it_says() -> None:
    reading = sensor(SensorKind.POWER_SUPPLY, FAILED, text="AC lost", value=0.0, unit="V")
    _, [said] = SensorTeller().update([reading])
    assert said.text == "Power supply X1 has failed (AC lost, 0 V)"


def test_every_state_of_every_sensor_has_a_documented_kind() -> None:
    for kind in SensorKind:
        for state in (SensorState.OK, SensorState.WARNING, SensorState.FAILED):
            assert kind_of(kind, state) in KINDS


# -- health ----------------------------------------------------------------------------------------------


def health(verdict: Verdict, *reasons: str, **more: object) -> DriveHealth:
    return DriveHealth(drive="d1", verdict=verdict, reasons=reasons, **more)  # type: ignore[arg-type]


def test_verdict_is_said_when_it_changes_with_its_reason() -> None:
    teller, it = HealthTeller(), drive(1)
    [said] = teller.verdict(it, health(Verdict.FAILING, "24 sectors wait"))
    assert said.text == "Drive in bay 1 (serial S1) is predicted to fail: 24 sectors wait; replace it"
    assert teller.verdict(it, health(Verdict.FAILING, "32 sectors wait")) == []
    assert teller.verdict(it, health(Verdict.UNKNOWN, "asleep")) == []
    assert kinds(teller.verdict(it, health(Verdict.WARNING, "x"))) == ["drive.health_warning"]
    assert kinds(teller.verdict(it, health(Verdict.GOOD))) == ["drive.health_ok"]


def test_verdict_of_before_the_restart_is_not_said_again() -> None:
    teller = HealthTeller([health(Verdict.FAILING)])
    assert teller.verdict(drive(1), health(Verdict.FAILING)) == []


def test_controller_and_drive_predict_the_same_failure_once() -> None:
    teller, it = HealthTeller(), drive(1, is_predicted_to_fail=True)
    assert kinds(teller.counted([it])) == ["drive.predicted_failure"]
    assert teller.verdict(it, health(Verdict.FAILING)) == []
    assert teller.counted([it]) == []
    other = HealthTeller()
    assert kinds(other.verdict(it, health(Verdict.FAILING))) == ["drive.predicted_failure"]
    assert other.counted([it]) == []


def test_media_errors_are_said_when_they_begin_and_when_they_have_doubled() -> None:
    teller = HealthTeller()
    assert teller.counted([drive(1, media_errors=3)], is_first=True) == []
    said = [count for count in range(3, 40) if teller.counted([drive(1, media_errors=count)])]
    assert said == [6, 12, 24]
    begun = HealthTeller()
    assert begun.counted([drive(1)]) == []
    assert kinds(begun.counted([drive(1, media_errors=1)])) == ["drive.media_errors"]
    assert begun.counted([drive(1, media_errors=0)]) == [], "the array was assembled anew"
    assert kinds(begun.counted([drive(1, media_errors=1)])) == ["drive.media_errors"]


def test_heat_is_judged_by_the_drives_own_limits_with_some_play() -> None:
    teller, it = HealthTeller(), drive(1)

    def at(celsius: int) -> list[str]:
        limits = {"temperature_warning_c": 50, "temperature_critical_c": 60}
        return kinds(teller.temperature(it, health(Verdict.GOOD, temperature_c=celsius, **limits)))

    assert [at(celsius) for celsius in (49, 50, 49, 48, 47, 46)] == [
        [],
        ["drive.temperature_high"],
        [],
        [],
        [],
        ["drive.temperature_ok"],
    ]
    assert [at(celsius) for celsius in (61, 58, 56, 40)] == [
        ["drive.temperature_critical"],
        [],
        ["drive.temperature_high"],
        ["drive.temperature_ok"],
    ]
    assert teller.temperature(it, health(Verdict.GOOD, temperature_c=99)) == [], "no limits are known"


def test_result_of_a_self_test_is_said_when_it_is_new() -> None:
    def report(*results: SelfTestResult) -> SmartReport:
        return SmartReport(self_tests=results)

    old = SelfTestResult(kind="Short offline", passed=True, text="Completed without error", at_hours=1)
    bad = SelfTestResult(kind="Short offline", passed=False, text="Completed: read failure", at_hours=2)
    aborted = SelfTestResult(kind="Short offline", passed=None, text="Aborted by host", at_hours=3)
    it = drive(1)
    assert self_test_result(it, None, report(bad)) == [], "nobody knows when"
    assert self_test_result(it, report(old), report(old)) == []
    [said] = self_test_result(it, report(old), report(bad, old))
    assert (said.kind, said.severity) == ("drive.self_test_failed", Severity.WARNING)
    assert kinds(self_test_result(it, report(), report(old))) == ["drive.self_test_passed"]
    assert self_test_result(it, report(old), report(aborted, old)) == []


# -- the kernel's messages -------------------------------------------------------------------------------


def test_same_message_is_said_once_an_hour() -> None:
    teller = NoticeTeller()
    assert len(teller.take(["bay 3: read error NOT corrected"] * 50, 0)) == 1
    assert teller.take(["bay 3: read error NOT corrected"], 59 * MINUTE_US) == []
    assert len(teller.take(["bay 3: read error NOT corrected"], 61 * MINUTE_US)) == 1


def test_storm_is_counted() -> None:
    teller = NoticeTeller()
    assert len(teller.take([f"sector {number}" for number in range(1_000)], 0)) == WINDOW_LIMIT
    assert teller.take(["sector 5000"], MINUTE_US - 1) == []
    more, new = teller.take(["sector 6000"], MINUTE_US)
    assert more.text == f"{1_001 - WINDOW_LIMIT} more messages of the kernel about drives"
    assert new.text == "sector 6000"


# -- what was planned ------------------------------------------------------------------------------------


def test_planned_drive_is_forgotten_when_it_has_gone() -> None:
    planned, here = Planned(), raid(RaidLevel.RAID5, [ON, ON, ON])
    planned.expect(SetOffline(drive="d1"), here)
    planned.forget(here)
    assert planned.drives == {"d1"}, "it has not left yet"
    planned.forget(raid(RaidLevel.RAID5, [ON, DriveState.OFFLINE, ON]))
    assert planned.drives == {"d1"}, "pulling it is planned too"
    planned.forget(without(here, "d1"))
    assert planned.drives == set()


def test_drive_that_came_back_to_work_is_expected_to_stay() -> None:
    planned, here = Planned(), raid(RaidLevel.RAID5, [ON, ON, ON])
    planned.expect(SetOffline(drive="d1"), here)
    planned.forget(raid(RaidLevel.RAID5, [ON, DriveState.OFFLINE, ON]))
    planned.forget(here)
    assert planned.drives == set()


def test_member_is_expected_to_leave_when_its_copy_is_done() -> None:
    planned, here = Planned(), raid(RaidLevel.RAID5, [ON, ON, ON])
    planned.expect(ReplaceMember(member="d1", replacement="d9"), here)
    copy = Task(id="c", kind=TaskKind.COPYBACK, state=TaskState.RUNNING, virtual_drive="v")
    planned.forget(raid(RaidLevel.RAID5, [ON, ON, ON], tasks=[copy]))
    assert planned.drives == {"d1"}


def test_what_was_not_done_is_not_planned() -> None:
    planned, here = Planned(), raid(RaidLevel.RAID5, [ON, ON, ON])
    for operation in (
        SetOffline(drive="d1"),
        StopTask(task="t"),
        ReplaceMember(member="d2", replacement="d3"),
    ):
        planned.expect(operation, here)
        planned.give_up(operation)
    assert (planned.drives, planned.stopped) == (frozenset(), frozenset())


def test_task_that_was_stopped_is_known_until_it_has_ended() -> None:
    planned = Planned()
    running = Task(id="t", kind=TaskKind.CHECK, state=TaskState.RUNNING, virtual_drive="v")
    busy = raid(RaidLevel.RAID5, [ON, ON, ON], tasks=[running])
    planned.expect(StopTask(task="t"), busy)
    planned.forget(busy)
    assert planned.stopped == {"t"}
    planned.forget(raid(RaidLevel.RAID5, [ON, ON, ON]))
    assert planned.stopped == set()
