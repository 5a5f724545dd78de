"""The alarm calls of the scripted engine's client: rules, schedules, triggers and settings in memory, alarms of FakeAlarmDesk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from engine import wire
from engine.sources.camera_sources import check as check_analytics
from engine.wire_alarm_rules import (
    ActionResult,
    ActionState,
    AlarmRuleAdd,
    AlarmRuleEdit,
    AlarmRuleView,
    AlarmTestReply,
    ScheduleTemplate,
    ScheduleTemplateView,
    TriggerKind,
)
from engine.wire_alarms import (
    AlarmCounts,
    AlarmDetail,
    AlarmFilter,
    AlarmPage,
    AlarmPlace,
    AlarmPlaceQuery,
    AlarmQuery,
    AlarmTriage,
    TriageDone,
)
from engine.wire_log import LogEntry, LogPage, LogQuery, LogVerification
from engine.wire_sources import (
    AlarmSettings,
    AnalyticsView,
    CameraAnalytics,
    CameraIo,
    ListenSettings,
    ListenView,
    MailSettings,
    PreservationSettings,
    VirtualTrigger,
)
from storage.errors import AlreadyExists, Conflict, InvalidInput, NotFound, WatchdeckError
from tests.fakes.scripted_alarms import NIGHT, OFFICE, TRIGGER_KINDS, scripted_log, scripted_rules

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine

VIRTUAL = "external.virtual"


class FakeAlarmState:
    """What the calls work on besides the alarms; tests change it at will."""

    def __init__(self, now_us: int) -> None:
        self.kinds: tuple[TriggerKind, ...] = TRIGGER_KINDS
        self.rules: dict[int, AlarmRuleView] = {rule.id: rule for rule in scripted_rules(now_us)}
        self.schedules: dict[str, wire.ScheduleMessage] = {"night": NIGHT, "office": OFFICE}
        self.fired: dict[str, int] = {}
        """Button: when."""
        self.settings = AlarmSettings(
            mail=MailSettings(), listen=ListenSettings(), preservation=PreservationSettings()
        )
        self.analytics: dict[str, CameraAnalytics] = {}
        self.io = CameraIo(
            presets=(("1", "gate"), ("2", "car park")), outputs=("DO1", "DO2"), inputs=("DI1",)
        )
        """Of every camera."""
        self.heard = ListenView()
        self.log: tuple[LogEntry, ...] = scripted_log(40, now_us)
        self.verification = LogVerification(is_whole=True, checked=40, first_id=1, last_id=40)
        self.test_results: tuple[ActionResult, ...] | WatchdeckError = ()
        """Of the test of a rule."""
        self.mail_result = ActionResult(
            action="mail to guard@example.org", state=ActionState.DONE, tries=1, text="250 queued"
        )


class FakeAlarmCalls:
    """The names of engine.client_alarms."""

    _engine: FakeEngine

    def _called(self, name: str, argument: object = None) -> None:
        raise NotImplementedError

    # -- alarms ----------------------------------------------------------------------------------------

    async def alarms(self, query: AlarmQuery) -> AlarmPage:
        self._called("alarms", query)
        return self._engine.desk.page(query)

    async def alarm_place(self, query: AlarmPlaceQuery) -> AlarmPlace:
        self._called("alarm_place", query)
        return self._engine.desk.place(query)

    async def alarm_counts(self) -> AlarmCounts:
        self._called("alarm_counts")
        return self._engine.desk.counts()

    async def alarm(self, id: int) -> AlarmDetail:
        self._called("alarm", id)
        return self._engine.desk.detail(id)

    async def triage(self, step: AlarmTriage) -> TriageDone:
        self._called("triage", step)
        done = self._engine.desk.triage(step)
        self._engine.alarms_changed()
        return done

    async def undo_triage(self) -> TriageDone:
        self._called("undo_triage")
        done = self._engine.desk.undo()
        self._engine.alarms_changed()
        return done

    async def alarm_csv(self, filter: AlarmFilter) -> bytes:
        self._called("alarm_csv", filter)
        lines = ["event type,receiving station,triggering device,time of occurrence,event status"]
        lines += [
            f"{alarm.kind},cellar-nvr,{alarm.source},{alarm.last_us},{alarm.status}"
            for alarm in self._engine.desk.chosen(filter)
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()

    # -- rules -----------------------------------------------------------------------------------------

    async def trigger_kinds(self) -> tuple[TriggerKind, ...]:
        self._called("trigger_kinds")
        return self._engine.alarm_state.kinds

    async def alarm_rules(self) -> tuple[AlarmRuleView, ...]:
        self._called("alarm_rules")
        return tuple(sorted(self._engine.alarm_state.rules.values(), key=lambda rule: rule.name.casefold()))

    async def alarm_rule(self, ref: str) -> AlarmRuleView:
        self._called("alarm_rule", ref)
        return self._rule(ref)

    async def add_alarm_rule(self, rule: AlarmRuleAdd) -> AlarmRuleView:
        self._called("add_alarm_rule", rule)
        rules = self._engine.alarm_state.rules
        if any(known.name.casefold() == rule.name.casefold() for known in rules.values()):
            raise AlreadyExists(f"an alarm rule called {rule.name!r} exists", "choose another name")
        if not rule.triggers:
            raise InvalidInput("the rule has no trigger", "give at least one")
        fields = {name: getattr(rule, name) for name in rule.__struct_fields__}
        view = AlarmRuleView(id=max(rules, default=0) + 1, is_active=True, **fields)
        rules[view.id] = view
        return view

    async def edit_alarm_rule(self, ref: str, changes: AlarmRuleEdit) -> AlarmRuleView:
        self._called("edit_alarm_rule", (ref, changes))
        rule = self._rule(ref)
        given: dict[str, Any] = {
            name: value
            for name in changes.__struct_fields__
            if name != "is_always" and (value := getattr(changes, name)) is not None
        }
        if changes.is_always:
            given |= {"schedule": None, "schedule_name": ""}
        elif "schedule" in given:
            given["schedule_name"] = ""
        elif given.get("schedule_name"):
            given["schedule"] = None
        changed = msgspec.structs.replace(rule, **given)
        self._engine.alarm_state.rules[rule.id] = changed
        return changed

    async def remove_alarm_rule(self, ref: str) -> None:
        self._called("remove_alarm_rule", ref)
        del self._engine.alarm_state.rules[self._rule(ref).id]

    async def test_alarm_rule(self, ref: str) -> AlarmTestReply:
        self._called("test_alarm_rule", ref)
        rule, results = self._rule(ref), self._engine.alarm_state.test_results
        if isinstance(results, WatchdeckError):
            raise results
        alarm = self._engine.raise_alarm(
            rule=rule.name, kind=rule.triggers[0].kind, severity=rule.severity, text="test", is_test=True
        )
        return AlarmTestReply(alarm_id=alarm.id, results=results)

    def _rule(self, ref: str) -> AlarmRuleView:
        for rule in self._engine.alarm_state.rules.values():
            if ref.casefold() in (rule.name.casefold(), str(rule.id)):
                return rule
        raise NotFound(f"no alarm rule is called {ref!r}", "`watchdeck alarm rule list` shows them")

    async def schedules(self) -> tuple[ScheduleTemplateView, ...]:
        self._called("schedules")
        return tuple(self._schedule(name) for name in sorted(self._engine.alarm_state.schedules))

    async def put_schedule(self, template: ScheduleTemplate) -> ScheduleTemplateView:
        self._called("put_schedule", template)
        self._engine.alarm_state.schedules[template.name] = template.schedule
        return self._schedule(template.name)

    async def remove_schedule(self, name: str) -> None:
        self._called("remove_schedule", name)
        if name not in self._engine.alarm_state.schedules:
            raise NotFound(f"no schedule is called {name!r}", "`watchdeck schedule list` shows them")
        if users := self._schedule(name).used_by:
            raise Conflict(
                f"the schedule {name!r} is used by {', '.join(users)}", "give them another one first"
            )
        del self._engine.alarm_state.schedules[name]

    def _schedule(self, name: str) -> ScheduleTemplateView:
        state = self._engine.alarm_state
        users = sorted(rule.name for rule in state.rules.values() if rule.schedule_name == name)
        return ScheduleTemplateView(name=name, schedule=state.schedules[name], used_by=tuple(users))

    # -- sources and settings --------------------------------------------------------------------------

    async def virtual_triggers(self) -> tuple[VirtualTrigger, ...]:
        self._called("virtual_triggers")
        return self._buttons()

    def _buttons(self) -> tuple[VirtualTrigger, ...]:
        found: dict[str, list[str]] = {}
        for rule in self._engine.alarm_state.rules.values():
            for trigger in rule.triggers:
                for button in trigger.sources if trigger.kind == VIRTUAL else ():
                    found.setdefault(button, []).append(rule.name)
        fired = self._engine.alarm_state.fired
        return tuple(
            VirtualTrigger(name=name, rules=tuple(found[name]), last_fired_us=fired.get(name))
            for name in sorted(found)
        )

    async def fire_trigger(self, name: str, text: str = "") -> None:
        self._called("fire_trigger", (name, text))
        button = next((each for each in self._buttons() if each.name == name), None)
        if button is None:
            raise NotFound(f"no rule has a button {name!r}", "`watchdeck trigger list` shows them")
        self._engine.alarm_state.fired[name] = self._engine.clock.now_us()
        self._engine.raise_alarm(
            rule=button.rules[0],
            kind=VIRTUAL,
            source=name,
            camera="",
            severity="critical",
            text=text or "fired",
        )

    async def alarm_settings(self) -> AlarmSettings:
        self._called("alarm_settings")
        return self._engine.alarm_state.settings

    async def edit_alarm_settings(self, settings: AlarmSettings) -> AlarmSettings:
        self._called("edit_alarm_settings", settings)
        given = {name: part for name, part in msgspec.structs.asdict(settings).items() if part is not None}
        state = self._engine.alarm_state
        state.settings = msgspec.structs.replace(state.settings, **given)
        return state.settings

    async def test_mail(self, to: str) -> ActionResult:
        self._called("test_mail", to)
        return self._engine.alarm_state.mail_result

    async def listening(self) -> ListenView:
        self._called("listening")
        return self._engine.alarm_state.heard

    async def analytics(self, camera: str) -> AnalyticsView:
        self._called("analytics", camera)
        return self._analytics(camera)

    async def edit_analytics(self, camera: str, settings: CameraAnalytics) -> AnalyticsView:
        self._called("edit_analytics", (camera, settings))
        check_analytics(settings)
        self._engine.alarm_state.analytics[camera] = settings
        return self._analytics(camera)

    def _analytics(self, camera: str) -> AnalyticsView:
        settings = self._engine.alarm_state.analytics.get(camera, CameraAnalytics())
        return AnalyticsView(
            camera=camera,
            settings=settings,
            onvif_state="listening" if settings.onvif else "off",
            topics=("detection.motion", "detection.line_crossing") if settings.onvif else (),
            motion_state="watching" if settings.motion else "off",
        )

    async def camera_io(self, camera: str) -> CameraIo:
        self._called("camera_io", camera)
        return self._engine.alarm_state.io

    # -- events as files, and the log ------------------------------------------------------------------

    async def event_csv(self, *, kinds: Sequence[str] = (), **filters: object) -> bytes:
        self._called("event_csv", (tuple(kinds), filters))
        return b"time,severity,kind,source,text\r\n"

    async def log(self, query: LogQuery) -> LogPage:
        self._called("log", query)
        found = [entry for entry in self._engine.alarm_state.log if _fits(entry, query)]
        begin = int(query.before or 0)
        end = begin + query.limit
        return LogPage(entries=tuple(found[begin:end]), resume=str(end) if end < len(found) else "")

    async def log_csv(self, query: LogQuery) -> bytes:
        self._called("log_csv", query)
        return b"time,category,type,actor,source,text,severity,success\r\n"

    async def verify_log(self) -> LogVerification:
        self._called("verify_log")
        return self._engine.alarm_state.verification


def _fits(entry: LogEntry, query: LogQuery) -> bool:
    ranks = ("minor", "normal", "major")
    words = f"{entry.type} {entry.actor} {entry.source} {entry.text}".casefold()
    return (
        query.category in ("", entry.category)
        and (not query.types or any(f"{entry.type}.".startswith(f"{type}.") for type in query.types))
        and ranks.index(entry.severity) >= ranks.index(query.min_severity or "minor")
        and query.actor in (None, entry.actor)
        and query.source in (None, entry.source)
        and (query.start_us is None or entry.time_us >= query.start_us)
        and (query.end_us is None or entry.time_us < query.end_us)
        and all(word in words for word in query.text.casefold().split())
    )
