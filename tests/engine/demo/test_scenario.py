"""Scenarios of the demo: read and checked as a whole, played step by step."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from engine.client import EngineClient
from engine.demo.child import DemoFailed
from engine.demo.scenario import SHIPPED, parse_scenario, play, read_scenario
from engine.wire_chassis import SimulatedStep
from storage.errors import NotFound
from storage.raid.states import DriveState, VirtualDriveState
from storage.simulated_hardware import SimulatedHardware
from tests.fakes.clock import FakeClock


class Engine:
    """The part of EngineClient that a scenario needs; `refuse` is a step it does not take."""

    def __init__(self, refuse: str = "") -> None:
        self.steps: list[str] = []
        self._refuse = refuse

    async def simulate(self, step: SimulatedStep) -> None:
        if step.step == self._refuse:
            raise NotFound("bay 3 is empty")
        self.steps.append(step.step)


async def test_steps_are_played_in_order_and_what_is_refused_is_said_and_left_out() -> None:
    engine, said = Engine(refuse="pull 3"), list[str]()
    lines = parse_scenario("# first\nsay hello\n\nwait 0\npull 3\nfan 1 fail\n", "x")
    await play(cast(EngineClient, engine), lines, said.append)
    assert engine.steps == ["say hello", "fan 1 fail"]
    assert said == ["hello", "  pull 3", "  line 5: bay 3 is empty", "  fan 1 fail"]


def test_an_error_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "night.txt"
    file.write_text("pull 3\n\n# ok\npull x\n")
    with pytest.raises(DemoFailed, match="line 4") as refused:
        read_scenario(file)
    assert refused.value.detail


@pytest.mark.parametrize("content", [b"", b"# only remarks\n", b"\xff\xfe\x00"])
def test_a_file_without_steps_is_no_scenario(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "night.txt"
    file.write_bytes(content)
    with pytest.raises(DemoFailed):
        read_scenario(file)


def test_a_missing_file_says_which_scenarios_are_shipped(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed) as refused:
        read_scenario(tmp_path / "none.txt")
    assert "bad-night" in refused.value.detail


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.txt")), ids=lambda file: file.stem)
def test_every_shipped_scenario_can_be_played_on_the_demos_chassis(file: Path, tmp_path: Path) -> None:
    lines = read_scenario(Path(file.stem))
    clock = FakeClock()
    chassis = SimulatedHardware(tmp_path, clock)
    for line in lines:
        clock.advance(round((line.step.amount or 0) * 1e6) if line.step.verb == "wait" else 0)
        chassis.do(line.text)
    now = chassis.inventory()
    assert {vd.state for vd in now.virtual_drives} != {VirtualDriveState.ONLINE}, (
        "nothing was done by itself here"
    )
    assert DriveState.UNCONFIGURED_GOOD in {drive.state for drive in now.drives}
    assert all(vd.state is not VirtualDriveState.FAILED for vd in now.virtual_drives)
    chassis.close()
