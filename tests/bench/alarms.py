"""How quick alarms are at 100,000 and 1,000,000 that are all open: `python -m tests.bench.alarms`.

Prints JSON. Every number stands beside a naive peer on the same file in the same run:
- storm: hits a second through `add_hits` in batches of what one second of a flood leaves; peer: a transaction for each event;
- list, filter, deep page: the window and the length of the whole; peer: all rows read, sieved, sorted and cut in Python;
- words: the index of three characters in a row; peer: LIKE on every row;
- grouped: peer: GROUP BY on the table, without the index;
- triage of 10,000: set-based, with history, and taken back; peer: the same statements alarm by alarm, in one transaction.
The limit is what a person at a console does not notice; it is held against the 100,000.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.catalog.alarm_filter import COLUMNS, alarm_row
from storage.catalog.alarm_records import AlarmHit, AlarmRow, AlarmRowFilter
from storage.catalog.db import Catalog
from storage.catalog.records import Severity
from storage.units import US_PER_SECOND
from tests.bench.timeline import median_ms

START_US = 1_767_225_600 * US_PER_SECOND
LIMIT_MS = 50
CAMERAS = 128
KINDS = 10
TRIAGED = 10_000

# One alarm a second and camera in turn; each hundredth is muted; each thousandth speaks of a plate.
_FILL = """
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count)
INSERT INTO alarm (rule_id, rule, kind, source, camera, severity, first_us, last_us, count, text, muted_until_us)
SELECT 1 + n % 7, 'rule ' || (1 + n % 7), 'detection.kind' || (n / 128 % 10), 'camera ' || (n % 128), 'camera ' || (n % 128),
       n % 3, :start + n * 1000000, :start + n * 1000000 + 500000, 1 + n % 9,
       CASE WHEN n % 1000 = 70 THEN printf('number plate %06d read', n) ELSE printf('motion in %d cells', n % 576) END,
       CASE WHEN n % 100 = 0 THEN :start * 2 END
  FROM number
"""


def build(path: Path, count: int) -> Catalog:
    """Filled by one INSERT with the triggers off; sums and words are then set as they would have been."""
    catalog = Catalog.open(path)
    connection = catalog._connection
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'alarm'"
    ).fetchall()
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    connection.execute("BEGIN")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(_FILL, {"count": count, "start": START_US})
    connection.execute("INSERT INTO alarm_words (alarm_words) VALUES ('rebuild')")
    connection.execute(
        "UPDATE alarm_tally SET fresh = (SELECT count(*) FROM alarm),"
        " critical = (SELECT count(*) FROM alarm WHERE severity = 2), revision = 1"
    )
    connection.execute(
        "INSERT INTO alarm_group SELECT source, kind, count(*), sum(count) FROM alarm GROUP BY kind, source"
    )
    for _, sql in triggers:
        connection.execute(sql)
    connection.execute("COMMIT")
    catalog.close()
    return Catalog.open(path)


def _hit(number: int) -> AlarmHit:
    source, now_us = f"camera {number % CAMERAS}", START_US + number * 1_000
    return AlarmHit(
        rule_id=1,
        rule="rule 1",
        kind=f"detection.kind{number // CAMERAS % KINDS}",
        source=source,
        camera=source,
        severity=Severity.WARNING,
        first_us=now_us,
        last_us=now_us,
        text=f"motion in {number % 576} cells",
        retrigger_us=0 if number % 4 == 0 else 30 * US_PER_SECOND,
    )


def measure_storm(folder: Path, hits: int, batch: int) -> dict[str, Any]:
    """A quarter raises alarms of their own, the rest joins."""

    def rate(name: str, count: int, at_once: int) -> float:
        with Catalog.open(folder / name) as catalog:
            begin = time.perf_counter()
            for start in range(0, count, at_once):
                catalog.add_hits([_hit(number) for number in range(start, min(count, start + at_once))])
            taken_s = time.perf_counter() - begin
            total = sum(
                row.count for row in catalog.alarms(AlarmRowFilter(), now_us=START_US, limit=count)[0]
            )
            assert total == count, (total, count)
        return count / taken_s

    ours, peer = rate("storm.db", hits, batch), rate("peer.db", hits // 20, 1)
    return {
        "what": f"hits into the catalog, {batch} at once",
        "per_second": round(ours),
        "peer_one_transaction_each_per_second": round(peer),
        "ours_over_peer": round(ours / peer, 1),
    }


def measure(catalog: Catalog, count: int, repeat: int) -> dict[str, Any]:
    connection, now_us = catalog._connection, START_US + count * US_PER_SECOND

    def all_in_python(wanted: Callable[[AlarmRow], bool], offset: int = 0) -> Callable[[int], Any]:
        def read(_: int) -> list[AlarmRow]:
            rows = [alarm_row(row) for row in connection.execute(f"SELECT {COLUMNS} FROM alarm")]
            found = [row for row in rows if wanted(row) and (row.muted_until_us or 0) <= now_us]
            return sorted(found, key=lambda row: (-row.last_us, -row.id))[offset : offset + 100]

        return read

    def sql(statement: str) -> Callable[[int], Any]:
        return lambda _: connection.execute(statement).fetchall()

    def window(filter: AlarmRowFilter, offset: int = 0, grouped: bool = False) -> Callable[[int], Any]:
        return lambda _: catalog.alarms(filter, now_us=now_us, offset=offset, grouped=grouped)

    everything = AlarmRowFilter()
    some = AlarmRowFilter(kinds=("detection.kind3",), sources=("camera 7",), min_severity=Severity.WARNING)
    deep, place = int(count * 0.47), count // 2
    cases: dict[str, tuple[Callable[[int], Any], Callable[[int], Any]]] = {
        "open list": (window(everything), all_in_python(lambda row: True)),
        "deep page": (window(everything, deep), all_in_python(lambda row: True, deep)),
        "kind, source and severity": (
            window(some),
            all_in_python(
                lambda row: (
                    (row.kind, row.source) == ("detection.kind3", "camera 7")
                    and row.severity != Severity.INFO
                )
            ),
        ),
        "one of a hundred sources": (
            window(AlarmRowFilter(sources=("camera 7",))),
            all_in_python(lambda row: row.source == "camera 7"),
        ),
        "an hour": (
            window(AlarmRowFilter(start_us=now_us - 3_600 * US_PER_SECOND, end_us=now_us)),
            all_in_python(lambda row: row.last_us >= now_us - 3_600 * US_PER_SECOND),
        ),
        "status": (
            window(AlarmRowFilter(statuses=("closed", "false_alarm"))),
            all_in_python(lambda row: row.status in ("closed", "false_alarm")),
        ),
        "words": (
            window(AlarmRowFilter(text="plate 01707")),
            sql(
                "SELECT * FROM alarm WHERE status < 2"
                + "".join(
                    f" AND (text LIKE '%{word}%' OR source LIKE '%{word}%' OR rule LIKE '%{word}%' OR comment LIKE '%{word}%')"
                    for word in ("plate", "01707")
                )
            ),
        ),
        "grouped": (
            window(everything, grouped=True),
            sql(
                "SELECT kind, source, max(last_us), count(*), sum(count), min(first_us) FROM alarm NOT INDEXED"
                f" WHERE status < 2 AND coalesce(muted_until_us, 0) <= {now_us} GROUP BY kind, source"
            ),
        ),
        "counts": (
            lambda _: catalog.alarm_totals(now_us),
            sql(
                "SELECT status, severity, count(*) FROM alarm NOT INDEXED"
                f" WHERE coalesce(muted_until_us, 0) <= {now_us} GROUP BY status, severity"
            ),
        ),
        "place of an alarm": (
            lambda _: catalog.alarm_index(everything, place, now_us=now_us),
            all_in_python(lambda row: True),
        ),
    }
    result: dict[str, Any] = {}
    for filter in (some, AlarmRowFilter(text="plate 01707")):
        assert catalog.alarms(filter, now_us=now_us)[1] > 0
    for name, (ours, peer) in cases.items():
        ours_ms, peer_ms = median_ms(repeat, ours), median_ms(1, peer)
        result[name] = {
            "median_ms": ours_ms,
            "peer_ms": peer_ms,
            "peer_over_ours": round(peer_ms / ours_ms, 1),
        }
    common = median_ms(3, window(AlarmRowFilter(text="motion")))
    result["words that nearly all have"] = {"median_ms": common}
    result["triage"] = measure_triage(catalog, now_us)
    return result


def measure_triage(catalog: Catalog, now_us: int) -> dict[str, Any]:
    top = catalog._rows("SELECT max(id) FROM alarm")[0][0]
    ids = list(range(top - TRIAGED + 1, top + 1))
    peer_ids = list(range(1, TRIAGED + 1))

    def step(_: int) -> None:
        catalog.triage(ids=ids, status="false_alarm", actor="guard", time_us=now_us)

    step_ms = median_ms(1, step)
    undo_ms = median_ms(1, lambda _: catalog.undo_triage("guard", now_us + 1))

    def one_by_one(_: int) -> None:
        with catalog.transaction():
            step_id = catalog._add_step(now_us, "peer", "status", None, None)
            for id in peer_ids:
                row = catalog.alarm(id)
                catalog._run(
                    "INSERT INTO alarm_step_alarm (alarm_id, step_id, old_status, old_comment, old_handler, new_status)"
                    " VALUES (?, ?, 0, ?, ?, 2)",
                    (id, step_id, row.comment, row.handler),
                )
                catalog._run(
                    "UPDATE alarm SET status = 2, handler = 'peer', step_id = ? WHERE id = ?", (step_id, id)
                )

    peer_ms = median_ms(1, one_by_one)
    return {
        "alarms": TRIAGED,
        "step_ms": step_ms,
        "undo_ms": undo_ms,
        "peer_one_by_one_ms": peer_ms,
        "peer_over_ours": round(peer_ms / step_ms, 1),
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.alarms", description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--hits", type=int, default=40_000)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=11)
    parser.add_argument("--folder", help="where the catalogs are built (default: a temporary folder)")
    options = parser.parse_args(argv)
    result: dict[str, Any] = {"bench": "alarms", "limit_ms": LIMIT_MS}
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="watchdeck-bench-") as folder:
        result["storm"] = measure_storm(Path(folder), options.hits, options.batch)
        for count in options.counts:
            path = Path(folder) / f"{count}.db"
            begin = time.perf_counter()
            with build(path, count) as catalog:
                build_s = round(time.perf_counter() - begin, 1)
                measured = measure(catalog, count, options.repeat)
                result[str(count)] = {
                    "build_s": build_s,
                    "catalog_bytes": path.stat().st_size,
                    **measured,
                }
            path.unlink()
    first = result[str(min(options.counts))]
    result["within_limits"] = all(
        each["median_ms"] <= LIMIT_MS
        for name, each in first.items()
        if isinstance(each, dict) and "peer_ms" in each
    )
    json.dump(result, sys.stdout, indent=2)
    print()
    return 0 if result["within_limits"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
