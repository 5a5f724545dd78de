from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from storage.catalog.chassis import ChassisJobKind, ChassisJobRow, ChassisJobState
from storage.catalog.db import Catalog
from storage.errors import NotFound
from tests.storage.catalog.footage import SECOND, T0


def job(number: int, **changes: object) -> ChassisJobRow:
    values: dict[str, object] = {
        "uuid": UUID(int=number),
        "kind": ChassisJobKind.REPLACE,
        "state": ChassisJobState.RUNNING,
        "body": msgspec.Raw(b'{"step":"rebuild","bay":3}'),
        "actor": "operator",
        "started_us": T0 + number * SECOND,
    }
    return ChassisJobRow(**{**values, **changes})  # type: ignore[arg-type]


def test_settings_come_back_as_they_were_set_and_go_when_set_to_nothing(catalog: Catalog) -> None:
    assert catalog.chassis_setting("upkeep.check") is None
    catalog.set_chassis_setting("upkeep.check", {"days": [6], "hour": 2})
    catalog.set_chassis_setting("upkeep.check", {"days": [0], "hour": 3})
    catalog.set_chassis_setting("uid", False)
    assert catalog.chassis_setting("upkeep.check") == {"days": [0], "hour": 3}
    catalog.set_chassis_setting("upkeep.check", None)
    assert catalog.chassis_setting("upkeep.check") is None
    assert catalog.chassis_setting("uid") is False


def test_an_open_job_is_found_again_after_a_restart(catalog: Catalog, tmp_path: Path) -> None:
    catalog.save_chassis_job(job(1))
    catalog.save_chassis_job(job(2, state=ChassisJobState.DONE, ended_us=T0 + 9 * SECOND))
    catalog.close()
    with Catalog.open(tmp_path / "catalog.db") as again:
        assert again.chassis_jobs(open_only=True) == [job(1)]
        assert [row.uuid.int for row in again.chassis_jobs()] == [2, 1]
        assert again.chassis_job(UUID(int=2)).state is ChassisJobState.DONE


def test_saving_a_job_again_moves_it_on_but_not_its_beginning(catalog: Catalog) -> None:
    catalog.save_chassis_job(job(1))
    moved = job(
        1, state=ChassisJobState.WAITING, body=msgspec.Raw(b'{"step":"insert"}'), started_us=T0, actor="other"
    )
    catalog.save_chassis_job(moved)
    kept = catalog.chassis_job(UUID(int=1))
    assert (kept.state, bytes(kept.body)) == (ChassisJobState.WAITING, b'{"step":"insert"}')
    assert (kept.started_us, kept.actor) == (T0 + SECOND, "operator")


def test_an_open_job_is_listed_however_many_are_newer(catalog: Catalog) -> None:
    catalog.save_chassis_job(job(1))
    for number in range(2, 8):
        catalog.save_chassis_job(job(number, state=ChassisJobState.DONE, ended_us=T0 + number * SECOND))
    assert [row.uuid.int for row in catalog.chassis_jobs(limit=2)] == [7, 6, 1]


def test_only_ended_jobs_are_forgotten(catalog: Catalog) -> None:
    catalog.save_chassis_job(job(1))
    catalog.save_chassis_job(job(2, state=ChassisJobState.FAILED, ended_us=T0 + 9 * SECOND))
    assert catalog.forget_chassis_jobs(T0 + 100 * SECOND) == 1
    assert [row.uuid.int for row in catalog.chassis_jobs()] == [1]
    with pytest.raises(NotFound):
        catalog.chassis_job(UUID(int=2))
