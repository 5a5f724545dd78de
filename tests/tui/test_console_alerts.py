"""New alarms on every screen: toast, bell, header, dashboard; switched off for a time or by rule; buttons."""

from __future__ import annotations

from pathlib import Path

from engine.wire_alarms import AlarmStatus
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.notify_file import load_notifier
from tui.profile import TerminalProfile
from tui.screens.frame import TABS, HeaderLine

SIZE = (80, 24)


class Rings:
    """Counts what would ring."""

    def __init__(self, app: WatchdeckApp) -> None:
        self.number = 0
        app.bell = self.ring  # type: ignore[method-assign]

    def ring(self) -> None:
        self.number += 1


async def test_a_new_alarm_is_told_on_every_screen(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        for key, scope, _ in TABS[:5]:
            await pilot.press(f"f{int(key) + 1}")
            await until(pilot, lambda scope=scope: app.view is not None and app.view.SCOPE is scope)
            engine.raise_alarm(rule=f"Rule {key}", severity="critical", text="look", sound=2)
            count = f"F7({key})" if scope is Scope.BAYS else f"6 Alarm {key}"  # digits are bays there
            await shows(pilot, "! critical", f"Rule {key}: look", count)


async def test_a_storm_rings_one_pattern_and_alarms_that_go_on_ring_none(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    rings = Rings(app)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        for _ in range(20):
            engine.raise_alarm(sound=2)
        engine.join_alarm(1, "again")
        await shows(pilot, "20 new alarms")
        await until(pilot, lambda: rings.number == 2)
        await pilot.pause(0.4)
        assert rings.number == 2


async def test_several_alarms_are_one_line_with_the_worst_of_them(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        engine.raise_alarm(rule="First", severity="info")
        engine.raise_alarm(rule="Second", severity="info")
        engine.raise_alarm(rule="Third", severity="info")
        await shows(pilot, "3 new alarms", "Third")


async def test_the_answer_to_a_key_is_not_covered_by_a_toast(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=5)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "6 Alarm")
        await pilot.press("6")
        await shows(pilot, "Alarms  5")
        await pilot.press("f")
        await shows(pilot, "1 alarm: false alarm (u undoes)")
        engine.raise_alarm(rule="Later", text="behind it")
        await shows(pilot, "Later")
        assert "1 alarm: false alarm (u undoes)" in screen_text(app)
        await pilot.press("escape")
        await shows(pilot, "Later: behind it")


async def test_notifications_are_off_for_a_time_and_come_back_by_themselves(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    app.notify_file = tmp_path / "config" / "notifications.toml"
    rings = Rings(app)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"notify 30", "enter")
        await shows(pilot, "notifications are off here for 30 minutes", "quiet 30 min")
        engine.raise_alarm(rule="Unheard", sound=5)
        await shows(pilot, "Alarms  1 new")
        assert "Unheard: " not in screen_text(app).splitlines()[-1]
        assert rings.number == 0
        await until(
            pilot, lambda: load_notifier(tmp_path / "config" / "notifications.toml")[0].quiet_until_us > 0
        )
        engine.clock.advance(30 * 60_000_000)
        engine.tick()
        await shows(pilot, "notifications are on again")
        engine.raise_alarm(rule="Heard", sound=1)
        await until(pilot, lambda: rings.number == 1)
        await pilot.press("colon", *"notify 10000", "enter")
        await shows(pilot, "minutes: 1 to 9,999, or on")


async def test_a_rule_is_switched_off_here_and_only_here(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    app.notify_file = tmp_path / "notifications.toml"
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"notify rules", "enter")
        await shows(pilot, "Alarms told on this console", "[x] Motion at night")
        await pilot.press("j", "space", "enter")
        await shows(pilot, "1 rule not told here")
        engine.raise_alarm(rule="Motion at night", text="a fox")
        await shows(pilot, "Alarms  1 new")
        assert "a fox" not in screen_text(app).splitlines()[-1]
        await until(pilot, (tmp_path / "notifications.toml").exists)
    assert load_notifier(tmp_path / "notifications.toml")[0].off_rules == {"Motion at night"}
    assert not [name for name, _ in engine.calls if name == "edit_alarm_rule"]


async def test_a_button_is_pressed_from_any_screen(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("exclamation_mark")
        await shows(pilot, "Press a button", "panic", "never pressed")
        await pilot.press("enter")
        await shows(pilot, "pressed: panic", "Alarm 1")
        await pilot.press("colon", *"trigger door", "enter")
        await shows(pilot, "no rule has a button 'door'")


async def test_a_button_is_refused_in_read_only_mode(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path, is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("exclamation_mark")
        await shows(pilot, "read-only")
    assert not [name for name, _ in engine.calls if name == "fire_trigger"]


async def test_the_dashboard_counts_alarms_and_names_the_newest(tmp_path: Path) -> None:
    engine = FakeEngine(alarms=20)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "18 new, 4 of them critical, 2 in progress", "Camera trouble: no route")
        for id in list(engine.desk.alarms):
            alarm = engine.desk.alarms[id]
            engine.desk.alarms[id] = type(alarm)(
                **{name: getattr(alarm, name) for name in alarm.__struct_fields__}
                | {"status": AlarmStatus.CLOSED}
            )
        engine.desk.revision += 1
        engine.alarms_changed()
        await until(pilot, lambda: "of them critical" not in screen_text(app))


async def test_titles_shorten_until_the_count_and_the_mode_fit(tmp_path: Path) -> None:
    app = app_for(FakeEngine(alarms=300), tmp_path, TerminalProfile(), is_read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("6", "colon", *"notify 9999", "enter")
        text = await shows(pilot, "quiet 9999 min", "6 Alarms 273")
        assert text.splitlines()[0].rstrip().endswith("14:03:20")
    app = app_for(FakeEngine(alarms=300), tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: "273" in app.query_one(HeaderLine).plain)
        await pilot.press("6")
        await shows(pilot, "Alarms  300", "critical")
