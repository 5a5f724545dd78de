"""The list against the same list made in Python from all rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from storage.catalog import alarm_filter
from storage.catalog.alarm_filter import SEVERITIES
from storage.catalog.alarm_records import OPEN_STATUSES, STATUSES, AlarmRow, AlarmRowFilter
from storage.catalog.db import Catalog
from storage.catalog.records import Severity
from storage.errors import InvalidInput
from tests.fakes.clock import FakeClock
from tests.storage.catalog.alarms import EVERYTHING, hit, listed, raise_alarms
from tests.storage.catalog.footage import SECOND, T0

NOW_US = T0 + 500 * SECOND
KINDS = ("detection.motion", "detection.audio", "detectionx", "camera.lost", "detection")
TEXTS = ("motion in 12 cells", "Tür geöffnet", "100% full_stop", "plate B-AB 1234", 'it\'s "quoted"')


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """300 alarms of every sort; some share their last event's time. Only read."""
    with Catalog.open(tmp_path_factory.mktemp("list") / "catalog.db", clock=FakeClock()) as catalog:
        _fill(catalog)
        yield catalog


def _fill(catalog: Catalog) -> None:
    chance = random.Random(4)
    hits = [
        hit(
            chance.randrange(200),
            rule_id=1 + number % 3,
            rule=f"rule {number % 3}",
            kind=chance.choice(KINDS),
            source=chance.choice(("gate", "yard", "north gate", "")),
            severity=chance.choice(SEVERITIES),
            text=chance.choice(TEXTS),
            count=1 + number % 5,
            is_live=number % 4 == 0,
            retrigger_us=0,
        )
        for number in range(300)
    ]
    catalog.add_hits(hits)
    for id in range(1, 301):
        if id % 3 == 0:
            status = chance.choice(STATUSES)
            comment = chance.choice((None, "Nothing there", "the fox again"))
            catalog.triage(ids=[id], status=status, comment=comment, actor="guard", time_us=T0)
        if id % 5 == 0:
            until_us = NOW_US + chance.choice((-1, 0, 1, SECOND))
            catalog.triage(ids=[id], muted_until_us=until_us, actor="guard", time_us=T0)


def fits(filter: AlarmRowFilter, row: AlarmRow) -> bool:
    """What AlarmRowFilter says, in Python."""
    is_muted = row.muted_until_us is not None and row.muted_until_us > NOW_US and row.status in OPEN_STATUSES
    searched = "\0".join((row.text, row.source, row.rule, row.comment)).casefold()
    return (
        (not filter.statuses or row.status in filter.statuses)
        and (not filter.sources or row.source in filter.sources)
        and (not filter.kinds or any((row.kind + ".").startswith(kind + ".") for kind in filter.kinds))
        and (not filter.rules or row.rule in filter.rules)
        and (
            filter.min_severity is None
            or SEVERITIES.index(row.severity) >= SEVERITIES.index(filter.min_severity)
        )
        and (filter.start_us is None or row.last_us >= filter.start_us)
        and (filter.end_us is None or row.last_us < filter.end_us)
        and all(word.casefold() in searched for word in filter.text.split())
        and (filter.with_muted or not is_muted)
        and (not filter.is_live or row.is_live)
        and (filter.up_to_id is None or row.id <= filter.up_to_id)
        and row.id not in filter.without_ids
    )


def expected(catalog: Catalog, filter: AlarmRowFilter) -> list[AlarmRow]:
    rows = [catalog.alarm(row[0]) for row in catalog._rows("SELECT id FROM alarm")]
    return sorted((row for row in rows if fits(filter, row)), key=lambda row: (-row.last_us, -row.id))


FILTERS = {
    "the open list": AlarmRowFilter(),
    "with muted": AlarmRowFilter(with_muted=True),
    "new": AlarmRowFilter(statuses=("new",)),
    "in progress with muted": AlarmRowFilter(statuses=("in_progress",), with_muted=True),
    "closed": AlarmRowFilter(statuses=("closed",)),
    "new or false": AlarmRowFilter(statuses=("false_alarm", "new")),
    "all history": AlarmRowFilter(statuses=()),
    "a source": AlarmRowFilter(sources=("gate",)),
    "the station itself": AlarmRowFilter(sources=("",)),
    "two sources of history": AlarmRowFilter(statuses=(), sources=("gate", "yard")),
    "a source that is not there": AlarmRowFilter(sources=("nowhere",)),
    "a kind with those below": AlarmRowFilter(kinds=("detection",)),
    "kinds and a source": AlarmRowFilter(kinds=("camera", "detection.audio"), sources=("yard",)),
    "rules": AlarmRowFilter(rules=("rule 0", "rule 2")),
    "grave": AlarmRowFilter(min_severity=Severity.CRITICAL),
    "not info": AlarmRowFilter(min_severity=Severity.WARNING, statuses=()),
    "any severity": AlarmRowFilter(min_severity=Severity.INFO),
    "a time": AlarmRowFilter(start_us=T0 + 50 * SECOND, end_us=T0 + 120 * SECOND),
    "live": AlarmRowFilter(is_live=True),
    "up to one": AlarmRowFilter(up_to_id=150),
    "without some": AlarmRowFilter(without_ids=tuple(range(20, 120))),
    "a word": AlarmRowFilter(text="MOTION"),
    "words of two columns": AlarmRowFilter(text="gate motion"),
    "a part of a word": AlarmRowFilter(text="late b-ab"),
    "short words": AlarmRowFilter(text="12 in"),
    "signs": AlarmRowFilter(text="100% full_"),
    "quotes": AlarmRowFilter(text='it\'s "quoted"'),
    "umlauts in capitals": AlarmRowFilter(text="GEÖFFNET"),
    "a comment": AlarmRowFilter(text="nothing there", statuses=()),
    "a rule's name": AlarmRowFilter(text="rule 1"),
    "a word that is not there": AlarmRowFilter(text="elephant"),
    "all at once": AlarmRowFilter(
        statuses=(),
        sources=("gate", "north gate"),
        kinds=("detection",),
        rules=("rule 1", "rule 0"),
        min_severity=Severity.WARNING,
        start_us=T0 + 10 * SECOND,
        end_us=T0 + 190 * SECOND,
        text="cells",
        up_to_id=290,
        without_ids=(3, 4),
    ),
}


@pytest.fixture(params=["few", "many"])
def sieve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of reading: finds and groups taken one by one, or sieved out of the whole list."""
    few = request.param == "few"
    monkeypatch.setattr(alarm_filter, "FEW", 5_000 if few else 1)
    monkeypatch.setattr(alarm_filter, "FEW_GROUPS", 0.01 if few else 1_000_000)


@pytest.mark.usefixtures("sieve")
@pytest.mark.parametrize("name", FILTERS)
def test_a_window_holds_what_was_asked_for_in_order(filled: Catalog, name: str) -> None:
    whole = expected(filled, FILTERS[name])
    assert listed(filled, FILTERS[name], now_us=NOW_US) == whole
    for offset, limit in ((0, 7), (len(whole) // 2, 9), (len(whole) - 3, 10), (len(whole), 5), (1_000, 5)):
        window, total = filled.alarms(FILTERS[name], now_us=NOW_US, offset=max(0, offset), limit=limit)
        assert (window, total) == (whole[max(0, offset) :][:limit], len(whole))


@pytest.mark.usefixtures("sieve")
@pytest.mark.parametrize("name", FILTERS)
def test_groups_add_up_and_show_their_newest(filled: Catalog, name: str) -> None:
    groups: dict[tuple[str, str], list[AlarmRow]] = {}
    for row in expected(filled, FILTERS[name]):
        groups.setdefault((row.kind, row.source), []).append(row)
    found, total = filled.alarms(FILTERS[name], now_us=NOW_US, grouped=True, limit=1_000)
    assert total == len(groups) == len(found)
    assert [row.last_us for row in found] == sorted((row.last_us for row in found), reverse=True)
    for row in found:
        members = groups[row.kind, row.source]
        assert (row.id, row.text, row.members) == (members[0].id, members[0].text, len(members))
        assert row.count == sum(each.count for each in members)
        assert row.first_us == min(each.first_us for each in members)


@pytest.mark.usefixtures("sieve")
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("grouped", [False, True])
def test_the_place_of_an_alarm_is_where_the_list_shows_it(filled: Catalog, name: str, grouped: bool) -> None:
    whole, _ = filled.alarms(FILTERS[name], now_us=NOW_US, grouped=grouped, limit=1_000)
    for index, row in enumerate(whole):
        assert filled.alarm_index(FILTERS[name], row.id, now_us=NOW_US, grouped=grouped) == index
    hidden = {row.id for row in listed(filled)} - {row.id for row in expected(filled, FILTERS[name])}
    for id in list(hidden)[:5]:
        assert filled.alarm_index(FILTERS[name], id, now_us=NOW_US, grouped=grouped) is None
    assert filled.alarm_index(FILTERS[name], 9_999, now_us=NOW_US, grouped=grouped) is None


def test_any_member_of_a_group_leads_to_its_place(filled: Catalog) -> None:
    groups, _ = filled.alarms(AlarmRowFilter(), now_us=NOW_US, grouped=True)
    for row in expected(filled, AlarmRowFilter()):
        index = filled.alarm_index(AlarmRowFilter(), row.id, now_us=NOW_US, grouped=True)
        assert index is not None
        assert (groups[index].kind, groups[index].source) == (row.kind, row.source)


def test_the_oracle_of_these_tests_finds_something(filled: Catalog) -> None:
    empty = {"a word that is not there", "a source that is not there"}
    found = {name: len(expected(filled, filter)) for name, filter in FILTERS.items()}
    assert {name for name, count in found.items() if not count} == empty
    assert found["all history"] > found["with muted"] > found["the open list"]


def test_a_muted_group_is_not_in_the_list_and_comes_back(catalog: Catalog) -> None:
    raise_alarms(catalog, 2)
    catalog.triage(ids=[1], with_groups=True, muted_until_us=T0 + 60 * SECOND, actor="guard", time_us=T0)

    def sources(now_us: int) -> list[str]:
        return [row.source for row in catalog.alarms(AlarmRowFilter(), now_us=now_us, grouped=True)[0]]

    assert sources(T0 + 60 * SECOND - 1) == ["camera 1"]
    assert sources(T0 + 60 * SECOND) == ["camera 1", "camera 0"]


def test_the_words_follow_what_an_alarm_says_now(catalog: Catalog) -> None:
    catalog.add_hits([hit(text="a fox"), hit(1, text="two badgers")])

    def count(text: str) -> int:
        return len(listed(catalog, AlarmRowFilter(text=text)))

    assert (count("fox"), count("badger")) == (0, 1)
    catalog.triage(ids=[1], comment="only leaves", actor="guard", time_us=T0)
    assert count("badgers leaves") == 1
    catalog.undo_triage("guard", T0)
    assert (count("leaves"), count("badgers")) == (0, 1)
    assert count("\0 badgers \0") == 1


def test_a_list_of_nothing_is_empty(catalog: Catalog) -> None:
    calls: list[Callable[[], object]] = [
        lambda: catalog.alarms(EVERYTHING, now_us=T0),
        lambda: catalog.alarms(AlarmRowFilter(), now_us=T0, grouped=True),
        lambda: catalog.alarms(AlarmRowFilter(text="fox"), now_us=T0, offset=5),
    ]
    assert [call() for call in calls] == [([], 0)] * 3


def test_a_status_nobody_knows_is_refused(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="choose one of new, in_progress"):
        catalog.alarms(AlarmRowFilter(statuses=("lost",)), now_us=T0)
    assert catalog._row("SELECT 1") == (1,)
