"""Alarms in memory with the engine's rules of filter, group, triage and undo: what the scripted engine answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.wire_alarm_rules import ActionResult
from engine.wire_alarms import (
    OPEN_STATUSES,
    AlarmCounts,
    AlarmDetail,
    AlarmFilter,
    AlarmPage,
    AlarmPlace,
    AlarmPlaceQuery,
    AlarmQuery,
    AlarmStatus,
    AlarmStep,
    AlarmTriage,
    AlarmView,
    TriageDone,
)
from storage.errors import Conflict, InvalidInput, NotFound
from storage.units import US_PER_SECOND

US_PER_MINUTE = 60 * US_PER_SECOND

RANKS = ("info", "warning", "critical")
STATUS_WORDS = {
    AlarmStatus.NEW: "new",
    AlarmStatus.IN_PROGRESS: "in progress",
    AlarmStatus.FALSE_ALARM: "false alarm",
    AlarmStatus.CLOSED: "closed",
}


@dataclass
class _Taken:
    """A step that may be undone: what it left, and what was before."""

    step_id: int
    actor: str
    before: dict[int, AlarmView]
    after: dict[int, AlarmView]


@dataclass
class FakeAlarmDesk:
    """Loop only, nothing waits."""

    now_us: Callable[[], int]
    alarms: dict[int, AlarmView] = field(default_factory=dict)
    steps: dict[int, list[AlarmStep]] = field(default_factory=dict)
    results: dict[int, tuple[ActionResult, ...]] = field(default_factory=dict)
    instructions: dict[str, str] = field(default_factory=dict)
    """By name of the rule."""
    revision: int = 1

    def __post_init__(self) -> None:
        self._taken: list[_Taken] = []
        self._steps = 0

    # -- what tests do ---------------------------------------------------------------------------------

    def add(self, alarms: Iterable[AlarmView]) -> None:
        self.alarms.update((alarm.id, alarm) for alarm in alarms)
        self.revision += 1

    def raise_alarm(self, **fields: Any) -> AlarmView:
        """Of now, with the next id, unless told otherwise."""
        now_us = self.now_us()
        known: dict[str, Any] = {
            "id": max(self.alarms, default=0) + 1,
            "rule": "Test",
            "kind": "detection.motion",
            "source": "front-door",
            "camera": "front-door",
            "severity": "warning",
            "status": AlarmStatus.NEW,
            "first_us": now_us,
            "last_us": now_us,
            "count": 1,
            "text": "motion",
        }
        alarm = AlarmView(**{**known, **fields})
        self.add([alarm])
        return alarm

    def join(self, id: int, text: str = "") -> AlarmView:
        """Another event of an alarm that is there."""
        known = self.alarms[id]
        alarm = msgspec.structs.replace(
            known, count=known.count + 1, last_us=self.now_us(), text=text or known.text
        )
        self.add([alarm])
        return alarm

    # -- reading ---------------------------------------------------------------------------------------

    def counts(self) -> AlarmCounts:
        open_ones = [alarm for alarm in self.alarms.values() if alarm.status in OPEN_STATUSES]
        muted = [alarm for alarm in open_ones if self._is_muted(alarm)]
        shown = [alarm for alarm in open_ones if not self._is_muted(alarm)]
        new = [alarm for alarm in shown if alarm.status is AlarmStatus.NEW]
        newest = max(self.alarms.values(), key=lambda alarm: alarm.id, default=None)
        return AlarmCounts(
            new=len(new),
            in_progress=len(shown) - len(new),
            muted=len(muted),
            critical=sum(alarm.severity == "critical" for alarm in new),
            newest_id=newest.id if newest else 0,
            newest_us=newest.last_us if newest else 0,
            revision=self.revision,
        )

    def chosen(self, filter: AlarmFilter, *, grouped: bool = False) -> list[AlarmView]:
        """Newest (by last event) first."""
        found = [alarm for alarm in self.alarms.values() if self._fits(alarm, filter)]
        found.sort(key=lambda alarm: (alarm.last_us, alarm.id), reverse=True)
        return _grouped(found) if grouped else found

    def page(self, query: AlarmQuery) -> AlarmPage:
        found = self.chosen(query, grouped=query.grouped)
        window = found[query.offset : query.offset + query.limit]
        return AlarmPage(total=len(found), revision=self.revision, alarms=tuple(window))

    def place(self, query: AlarmPlaceQuery) -> AlarmPlace:
        """Of a group: where the group of this alarm is."""
        found = self.chosen(query, grouped=query.grouped)
        wanted = self.alarms.get(query.id)
        for index, alarm in enumerate(found):
            if alarm.id == query.id or (
                query.grouped
                and wanted is not None
                and self._fits(wanted, query)
                and (alarm.kind, alarm.source) == (wanted.kind, wanted.source)
            ):
                return AlarmPlace(index=index)
        return AlarmPlace(index=None)

    def detail(self, id: int) -> AlarmDetail:
        alarm = self._alarm(id)
        return AlarmDetail(
            alarm=alarm,
            instructions=self.instructions.get(alarm.rule, ""),
            steps=tuple(self.steps.get(id, ())),
            results=self.results.get(id, ()),
            clip_start_us=alarm.first_us - 5 * US_PER_SECOND,
            clip_end_us=alarm.last_us + 5 * US_PER_SECOND,
        )

    # -- triage ----------------------------------------------------------------------------------------

    def triage(self, step: AlarmTriage, actor: str = "operator") -> TriageDone:
        if step.status is None and step.mute_minutes is None and step.comment is None:
            raise InvalidInput("the step changes nothing", "give a status, minutes to mute or a comment")
        chosen = self._selected(step)
        self._steps += 1
        now_us = self.now_us()
        before: dict[int, AlarmView] = {}
        after: dict[int, AlarmView] = {}
        for alarm in chosen:
            changes: dict[str, Any] = {"handler": actor}
            if step.status is not None:
                changes["status"] = step.status
            if step.mute_minutes is not None:
                until_us = now_us + step.mute_minutes * US_PER_MINUTE
                changes["muted_until_us"] = until_us if step.mute_minutes else None
            if step.comment is not None:
                changes["comment"] = step.comment
            changed = msgspec.structs.replace(alarm, **changes)
            before[alarm.id], after[alarm.id] = alarm, changed
            self._note(_what(step), actor, alarm, changed, step.comment or "")
        self.alarms.update(after)
        self.revision += 1
        self._taken.append(_Taken(self._steps, actor, before, after))
        return TriageDone(
            step_id=self._steps, changed=len(after), what=f"{_alarms(len(after))}: {_in_words(step)}"
        )

    def undo(self, actor: str = "operator") -> TriageDone:
        taken = next((each for each in reversed(self._taken) if each.actor == actor), None)
        if taken is None:
            raise Conflict("there is no step of yours to undo", "")
        self._taken.remove(taken)
        self._steps += 1
        changed = 0
        for id, left in taken.after.items():
            now, before = self.alarms[id], taken.before[id]
            if (now.status, now.muted_until_us, now.comment) != (
                left.status,
                left.muted_until_us,
                left.comment,
            ):
                continue
            back = msgspec.structs.replace(
                now,
                status=before.status,
                muted_until_us=before.muted_until_us,
                comment=before.comment,
                handler=before.handler,
            )
            self._mark_undone(id, taken.step_id)
            self._note("undo", actor, now, back, "")
            self.alarms[id] = back
            changed += 1
        self.revision += 1
        return TriageDone(step_id=self._steps, changed=changed, what=f"{_alarms(changed)}: undone")

    def _selected(self, step: AlarmTriage) -> list[AlarmView]:
        selection = step.selection
        if bool(selection.ids) == (selection.filter is not None):
            raise InvalidInput("the selection names neither alarms nor a filter, or both", "give one of them")
        if selection.filter is not None:
            return self.chosen(selection.filter)
        chosen = {id: self._alarm(id) for id in selection.ids}
        if selection.with_groups:
            for named in list(chosen.values()):
                chosen.update(
                    (alarm.id, alarm)
                    for alarm in self.alarms.values()
                    if (alarm.kind, alarm.source) == (named.kind, named.source)
                    and alarm.status in OPEN_STATUSES
                    and alarm.id <= named.id
                )
        return list(chosen.values())

    def _note(self, what: str, actor: str, before: AlarmView, after: AlarmView, comment: str) -> None:
        self.steps.setdefault(before.id, []).append(
            AlarmStep(
                id=self._steps,
                time_us=self.now_us(),
                actor=actor,
                what=what,
                old_status=before.status,
                new_status=after.status,
                muted_until_us=after.muted_until_us,
                comment=comment,
            )
        )

    def _mark_undone(self, id: int, step_id: int) -> None:
        self.steps[id] = [
            msgspec.structs.replace(step, is_undone=True) if step.id == step_id else step
            for step in self.steps[id]
        ]

    # -- one alarm -------------------------------------------------------------------------------------

    def _alarm(self, id: int) -> AlarmView:
        try:
            return self.alarms[id]
        except KeyError:
            raise NotFound(f"there is no alarm {id}", "`watchdeck alarm list` shows them") from None

    def _is_muted(self, alarm: AlarmView) -> bool:
        return alarm.muted_until_us is not None and alarm.muted_until_us > self.now_us()

    def _fits(self, alarm: AlarmView, filter: AlarmFilter) -> bool:
        words = f"{alarm.text} {alarm.source} {alarm.rule} {alarm.comment}".casefold()
        return (
            (not filter.statuses or alarm.status in filter.statuses)
            and (not filter.sources or alarm.source in filter.sources)
            and (not filter.kinds or any(f"{alarm.kind}.".startswith(f"{kind}.") for kind in filter.kinds))
            and (not filter.rules or alarm.rule in filter.rules)
            and RANKS.index(alarm.severity) >= RANKS.index(filter.min_severity or "info")
            and (filter.start_us is None or alarm.last_us >= filter.start_us)
            and (filter.end_us is None or alarm.last_us < filter.end_us)
            and all(word in words for word in filter.text.casefold().split())
            and (filter.with_muted or not self._is_muted(alarm))
            and (not filter.is_live or alarm.is_live)
            and (filter.up_to_id is None or alarm.id <= filter.up_to_id)
            and alarm.id not in filter.without_ids
        )


def _grouped(alarms: Iterable[AlarmView]) -> list[AlarmView]:
    """Of alarms newest first: one for each (kind, source), in the same order."""
    groups: dict[tuple[str, str], list[AlarmView]] = {}
    for alarm in alarms:
        groups.setdefault((alarm.kind, alarm.source), []).append(alarm)
    return [
        msgspec.structs.replace(
            members[0],
            count=sum(member.count for member in members),
            first_us=min(member.first_us for member in members),
            members=len(members),
        )
        for members in groups.values()
    ]


def _what(step: AlarmTriage) -> str:
    return "status" if step.status is not None else "mute" if step.mute_minutes is not None else "comment"


def _in_words(step: AlarmTriage) -> str:
    words = []
    if step.status is not None:
        words.append(STATUS_WORDS[step.status])
    if step.mute_minutes is not None:
        words.append(f"muted for {step.mute_minutes} min" if step.mute_minutes else "no longer muted")
    if step.comment is not None:
        words.append("commented")
    return ", ".join(words)


def _alarms(count: int) -> str:
    return f"{count} alarm" if count == 1 else f"{count:,} alarms"
