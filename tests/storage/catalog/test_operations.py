"""The chain of operations: it only grows, refuses every edit, and says where it was edited behind its back."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from storage.catalog.alarm_records import ChainCheck, LogFilter, OperationRow
from storage.catalog.db import Catalog
from storage.errors import Conflict, InvalidInput
from tests.storage.catalog.footage import T0


def operation(number: int = 0, **changes: object) -> OperationRow:
    values: dict[str, object] = {
        "time_us": T0 + number,
        "actor": "ann",
        "type": "camera.edit",
        "source": "gate",
        "text": f"edit {number}",
    }
    return OperationRow(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    catalog.add_operations([operation(number) for number in range(10)])
    return catalog


def behind_its_back(catalog: Catalog, *statements: str) -> None:
    """As somebody with an editor would: the triggers out of the way, and in again."""
    connection = sqlite3.connect(catalog.path, isolation_level=None)
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'operation%'"
    ).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def test_operations_come_back_with_their_place_in_the_chain(catalog: Catalog) -> None:
    added = catalog.add_operations(
        [operation(1), operation(2, severity="major", is_success=False, text="refused", source="")]
    )
    assert [row.id for row in added] == [1, 2]
    assert catalog.operations(LogFilter(), limit=9) == list(reversed(added))
    assert catalog.add_operations([operation(3)])[0].id == 3
    assert catalog.add_operations([]) == []


def test_a_digest_is_made_as_documented(catalog: Catalog) -> None:
    first, second = catalog.add_operations([operation(0), operation(1, severity="minor", is_success=False)])
    one = hashlib.sha256(bytes(32) + f'[1,{T0},"ann","camera.edit","gate","edit 0",1,1]'.encode())
    assert first.digest == one.hexdigest()
    two = hashlib.sha256(one.digest() + f'[2,{T0 + 1},"ann","camera.edit","gate","edit 1",0,0]'.encode())
    assert second.digest == two.hexdigest()


def test_a_chain_nobody_touched_is_whole(filled: Catalog) -> None:
    assert filled.verify_operations() == ChainCheck(True, 10, 1, 10, "")
    with Catalog.open(filled.path, read_only=True) as reader:
        assert reader.verify_operations().is_whole


def test_an_empty_chain_is_whole(catalog: Catalog) -> None:
    assert catalog.verify_operations() == ChainCheck(True, 0, 1, 0, "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE operation SET text = 'nothing' WHERE id = 5",
        "UPDATE operation SET time_us = 1",
        "UPDATE OR REPLACE operation SET id = 4 WHERE id = 5",
        "DELETE FROM operation WHERE id = 5",
        "DELETE FROM operation WHERE id = 10",
        "DELETE FROM operation",
        "INSERT OR REPLACE INTO operation VALUES (5, 1, 'a', 'b', '', '', 1, 1, zeroblob(32))",
        "REPLACE INTO operation VALUES (10, 1, 'a', 'b', '', '', 1, 1, zeroblob(32))",
        "INSERT INTO operation VALUES (12, 1, 'a', 'b', '', '', 1, 1, zeroblob(32))",
        "UPDATE operation_chain SET last_id = 5",
        "UPDATE operation_chain SET last_id = 11",
        "UPDATE operation_chain SET first_digest = zeroblob(32), first_id = 6",
        "UPDATE operation_chain SET first_id = 0",
        "DELETE FROM operation_chain",
        "INSERT OR REPLACE INTO operation_chain VALUES (1, 1, zeroblob(32), 0)",
    ],
)
@pytest.mark.parametrize("other", [False, True])
def test_the_log_refuses_to_be_changed_through_any_connection(
    filled: Catalog, statement: str, other: bool
) -> None:
    before = filled.operations(LogFilter(), limit=99)
    connection = sqlite3.connect(filled.path, isolation_level=None) if other else filled._connection
    with pytest.raises(sqlite3.IntegrityError, match="log"):
        connection.execute(statement)
    if other:
        connection.close()
    assert filled.operations(LogFilter(), limit=99) == before
    assert filled.verify_operations() == ChainCheck(True, 10, 1, 10, "")


@pytest.mark.parametrize(
    ("statements", "checked", "trouble"),
    [
        (["UPDATE operation SET text = 'nothing' WHERE id = 5"], 4, "entry 5 was changed"),
        (["UPDATE operation SET actor = 'ben' WHERE id IN (3, 8)"], 2, "entry 3 was changed"),
        (["UPDATE operation SET is_success = 0 WHERE id = 10"], 9, "entry 10 was changed"),
        (["UPDATE operation SET digest = zeroblob(32) WHERE id = 1"], 0, "entry 1 was changed"),
        (["DELETE FROM operation WHERE id = 5"], 4, "entry 5 is missing"),
        (["DELETE FROM operation WHERE id = 1"], 0, "entry 1 is missing"),
        (["DELETE FROM operation WHERE id = 10"], 9, "entry 10 is missing"),
        (["DELETE FROM operation"], 0, "entry 1 is missing"),
        (
            ["DELETE FROM operation WHERE id = 5", "UPDATE operation SET id = id - 1 WHERE id > 5"],
            4,
            "entry 5 was changed",
        ),
        (
            [
                "INSERT INTO operation SELECT 11, time_us, actor, type, source, text, severity, is_success, digest"
                " FROM operation WHERE id = 10"
            ],
            10,
            "entry 11 was changed",
        ),
        (["UPDATE operation_chain SET first_id = 4"], 0, "entry 1 is there, but the log begins with 4"),
        (
            ["DELETE FROM operation WHERE id < 4", "UPDATE operation_chain SET first_id = 4"],
            0,
            "entry 4 was changed",
        ),
    ],
)
def test_what_was_done_behind_its_back_is_named(
    filled: Catalog, statements: list[str], checked: int, trouble: str
) -> None:
    behind_its_back(filled, *statements)
    check = filled.verify_operations()
    assert (check.is_whole, check.checked, check.trouble) == (False, checked, trouble)


def test_a_chain_that_lost_its_beginning_says_so(filled: Catalog) -> None:
    behind_its_back(filled, "DELETE FROM operation_chain")
    assert filled.verify_operations().trouble == "where the log begins is not known any more"


def test_a_chain_goes_on_after_the_catalog_was_closed(filled: Catalog, tmp_path: Path) -> None:
    filled.close()
    with Catalog.open(tmp_path / "catalog.db") as again:
        again.add_operations([operation(11)])
        assert again.verify_operations() == ChainCheck(True, 11, 1, 11, "")


def test_a_batch_that_cannot_be_written_leaves_the_chain_as_it_was(filled: Catalog) -> None:
    with pytest.raises(InvalidInput, match="choose one of minor, normal, major"):
        filled.add_operations([operation(1), operation(2, severity="fatal")])
    with pytest.raises(Conflict):
        filled.add_operations([operation(1), operation(2, actor="")])
    assert filled.verify_operations() == ChainCheck(True, 10, 1, 10, "")


# -- the old end -----------------------------------------------------------------------------------------


def test_only_the_old_end_goes_and_the_chain_stays_whole(filled: Catalog) -> None:
    limits = dict.fromkeys(("major", "normal", "minor"), T0 + 7)
    assert [filled.prune_operations(limits, 4) for _ in range(3)] == [4, 3, 0]
    assert filled.verify_operations() == ChainCheck(True, 3, 8, 10, "")
    filled.add_operations([operation(20)])
    assert filled.verify_operations() == ChainCheck(True, 4, 8, 11, "")


def test_an_entry_that_is_kept_longer_holds_all_after_it(catalog: Catalog) -> None:
    grades = ("minor", "normal", "major", "minor", "minor")
    catalog.add_operations([operation(number, severity=grade) for number, grade in enumerate(grades)])
    assert catalog.prune_operations({"minor": T0 + 99, "normal": T0 + 99, "major": T0}) == 2
    assert catalog.prune_operations({"minor": T0 + 99, "normal": T0 + 99, "major": T0 + 99}) == 3
    assert catalog.verify_operations() == ChainCheck(True, 0, 6, 5, "")
    assert catalog.add_operations([operation(9)])[0].id == 6
    assert catalog.verify_operations().is_whole


def test_the_newest_stay_whatever_the_clock_says(filled: Catalog) -> None:
    limits = dict.fromkeys(("major", "normal", "minor"), T0 * 2)
    assert filled.prune_operations(limits, keep_at_least=4) == 6
    assert filled.prune_operations(limits, keep_at_least=4) == 0
    assert filled.prune_operations({}) == 0


# -- searching -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (LogFilter(), [5, 4, 3, 2, 1]),
        (LogFilter(types=("camera",)), [3, 1]),
        (LogFilter(types=("camera.edit", "login")), [5, 1]),
        (LogFilter(min_severity="normal"), [5, 3, 1]),
        (LogFilter(min_severity="major"), [3]),
        (LogFilter(actor="ben"), [4, 3]),
        (LogFilter(source="gate"), [1]),
        (LogFilter(start_us=T0 + 1, end_us=T0 + 3), [3, 2]),
        (LogFilter(text="Yard REMOVED"), [3]),
        (LogFilter(text="50% a_b"), [2]),
        (LogFilter(text="ben"), [4, 3]),
    ],
)
def test_a_page_of_operations_holds_what_was_asked_for(
    catalog: Catalog, filter: LogFilter, expected: list[int]
) -> None:
    catalog.add_operations(
        [
            operation(0),
            operation(1, type="raid.scrub", severity="minor", text="at 50% of a_b", source="array"),
            operation(2, type="camera.remove", severity="major", actor="ben", text="removed", source="yard"),
            operation(3, type="cameras", severity="minor", actor="ben", source=""),
            operation(4, type="login.refused", source="tty1"),
        ]
    )
    assert [row.id for row in catalog.operations(filter, limit=9)] == expected
