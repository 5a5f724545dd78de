"""The contract of RAID back-ends on the simulated one."""

from collections.abc import Callable, Iterator

import pytest

from storage.raid.states import RaidLevel
from tests.storage.raid.contract import LEVEL_CASES, SCENARIOS, Box, each_level_is_made_and_deleted
from tests.storage.raid.simulated_box import SimulatedBox


@pytest.fixture
def box() -> Iterator[SimulatedBox]:
    made = SimulatedBox()
    yield made
    made.backend.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(box: SimulatedBox, scenario: Callable[[Box], None]) -> None:
    scenario(box)


@pytest.mark.parametrize(("level", "counts"), LEVEL_CASES)
def test_each_level_is_made_and_deleted(box: SimulatedBox, level: RaidLevel, counts: tuple[int, ...]) -> None:
    each_level_is_made_and_deleted(box, level, counts)
