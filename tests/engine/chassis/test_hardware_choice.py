"""Which hardware the engine works with, and that it starts whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from engine.chassis.hardware_choice import chosen, open_hardware
from engine.config import ChassisSection
from engine.drive_service.remote_hardware import RemoteHardware
from storage.drives.indicators import InformationPattern, TrayPattern
from storage.drives.smart_report import SelfTestKind
from storage.errors import Unsupported
from storage.hardware import Hardware
from storage.local_hardware import LocalHardware
from storage.no_hardware import NoHardware
from storage.raid.inventory import Inventory, Problem, VirtualDrive
from storage.raid.operations import Silence
from storage.raid.states import RaidLevel, VirtualDriveState
from storage.simulated_hardware import SimulatedHardware
from tests.fakes.clock import FakeClock


def opened(state: Path, **section: str) -> Hardware:
    chassis = ChassisSection(socket=str(state / "none" / "x"), **section)
    return open_hardware(chassis, state, FakeClock(), is_demo=False).hardware


def test_auto_means_the_drive_service_then_root_then_nothing() -> None:
    assert chosen(is_demo=True, is_root=True, has_service=True) == "simulated"
    assert chosen(is_demo=False, is_root=True, has_service=True) == "service"
    assert chosen(is_demo=False, is_root=True, has_service=False) == "local"
    assert chosen(is_demo=False, is_root=False, has_service=False) == ""


def test_each_choice_opens_what_it_says(tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, hardware="none"), NoHardware)
    assert isinstance(opened(tmp_path, hardware="service"), RemoteHardware)
    assert isinstance(opened(tmp_path, hardware="simulated"), SimulatedHardware)
    assert isinstance(opened(tmp_path, hardware="local"), LocalHardware)


def test_demo_takes_scenario_steps_and_a_real_box_does_not(tmp_path: Path) -> None:
    demo = open_hardware(ChassisSection(), tmp_path, FakeClock(), is_demo=True)
    assert demo.simulate is not None
    assert demo.simulate("pull 1") == "pull 1"
    assert (
        open_hardware(ChassisSection(hardware="local"), tmp_path, FakeClock(), is_demo=False).simulate is None
    )


def test_engine_that_is_not_root_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    [problem] = opened(tmp_path).inventory().problems
    assert problem.code == "no_drive_service"
    assert "watchdeck-drives" in problem.remedy


def test_wrong_chassis_file_is_a_problem_and_not_the_end(tmp_path: Path) -> None:
    hardware = opened(tmp_path, hardware="local", file=str(tmp_path / "absent.toml"))
    [problem] = hardware.inventory().problems
    assert "absent.toml" in problem.what


def test_damaged_simulation_is_a_problem_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "chassis").mkdir()
    (tmp_path / "chassis" / "chassis.json").write_text("{")
    [problem] = opened(tmp_path, hardware="simulated").inventory().problems
    assert "chassis.json" in problem.what


def test_no_hardware_shows_nothing_and_refuses_with_the_reason() -> None:
    vd = VirtualDrive(id="v", name="A", group="g", level=RaidLevel.RAID5, state=VirtualDriveState.ONLINE)
    for hardware, said in (
        (NoHardware(), "station.toml"),
        (NoHardware(Problem(code="x", what="no way", remedy="call somebody")), "call somebody"),
    ):
        assert hardware.layout().bays == ()
        assert (hardware.wakeups(), hardware.sensors(), hardware.temperatures(), hardware.activity()) == (
            (),
            (),
            {},
            {},
        )
        assert hardware.show_trays({1: TrayPattern.FAIL}, Inventory()) == ()
        assert hardware.show_information(InformationPattern.OVERHEAT) == ()
        assert hardware.tend(Inventory()) == ()
        hardware.beep(False)
        refused: list[Callable[[], object]] = [
            partial(hardware.beep, True),
            partial(hardware.plan, Silence(controller="c"), Inventory()),
            partial(hardware.perform, Silence(controller="c"), Inventory()),
            partial(hardware.smart, "d"),
            partial(hardware.start_self_test, "d", SelfTestKind.SHORT),
            partial(hardware.abort_self_test, "d"),
            partial(hardware.plan_volume, vd, "A", "/srv/A", "xfs"),
            partial(hardware.make_volume, vd, "A", "/srv/A", "xfs"),
            partial(hardware.unmake_volume, vd),
            partial(hardware.learn, 1, "d"),
        ]
        for call in refused:
            with pytest.raises(Unsupported) as raised:
                call()
            assert said in raised.value.remedy
        hardware.close()
