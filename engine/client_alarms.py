"""The client's calls about alarms: the list, triage, rules, schedules, triggers, settings, the log. Mixed into EngineClient, which connects.

The same rules hold as there: each method mirrors a route of docs/api.md, nothing is repeated by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from engine import wire_calls
from engine.path_segment import path_segment
from engine.wire_alarm_rules import (
    ActionResult,
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
from engine.wire_log import LogPage, LogQuery, LogVerification
from engine.wire_sources import (
    AlarmSettings,
    AnalyticsView,
    CameraAnalytics,
    CameraIo,
    ListenView,
    MailTest,
    TriggerFire,
    VirtualTrigger,
)

if TYPE_CHECKING:
    from engine import wire

T = TypeVar("T")

ACTION_TIMEOUT_MS = 120_000
"""For calls that carry out actions: a mail server may be slow."""
ONVIF_TIMEOUT_MS = 60_000


class AlarmCalls:
    """What EngineClient can do with alarms."""

    if TYPE_CHECKING:

        async def _call(
            self,
            method: str,
            path: str,
            reply: type[T] | None,
            *,
            body: wire.Request | None = None,
            query: Mapping[str, str | int | Iterable[str] | None] | None = None,
            timeout_ms: int | None = None,
        ) -> T: ...

    # -- alarms ----------------------------------------------------------------------------------------

    async def alarms(self, query: AlarmQuery) -> AlarmPage:
        """A window of the list."""
        return await self._call("POST", "/v1/alarms/query", AlarmPage, body=query)

    async def alarm_place(self, query: AlarmPlaceQuery) -> AlarmPlace:
        return await self._call("POST", "/v1/alarms/place", AlarmPlace, body=query)

    async def alarm_counts(self) -> AlarmCounts:
        return await self._call("GET", "/v1/alarms/counts", AlarmCounts)

    async def alarm(self, id: int) -> AlarmDetail:
        """With its history, instructions and what came of its actions."""
        return await self._call("GET", f"/v1/alarms/{id}", AlarmDetail)

    async def triage(self, step: AlarmTriage) -> TriageDone:
        """One step on one alarm or ten thousand."""
        return await self._call("POST", "/v1/alarms/triage", TriageDone, body=step)

    async def undo_triage(self) -> TriageDone:
        """Take the caller's last step back, on the alarms that nobody has touched since."""
        return await self._call("POST", "/v1/alarms/undo", TriageDone)

    async def alarm_csv(self, filter: AlarmFilter) -> bytes:
        """AL-15: the whole list as CSV, UTF-8."""
        return (await self._call("POST", "/v1/alarms/csv", wire_calls.CsvReply, body=filter)).data

    # -- rules -----------------------------------------------------------------------------------------

    async def trigger_kinds(self) -> tuple[TriggerKind, ...]:
        """What the trigger picker offers."""
        return (await self._call("GET", "/v1/trigger-kinds", wire_calls.TriggerKindList)).kinds

    async def alarm_rules(self) -> tuple[AlarmRuleView, ...]:
        return (await self._call("GET", "/v1/alarm-rules", wire_calls.AlarmRuleList)).rules

    async def alarm_rule(self, ref: str) -> AlarmRuleView:
        """By name or id."""
        return await self._call("GET", f"/v1/alarm-rules/{path_segment(ref)}", AlarmRuleView)

    async def add_alarm_rule(self, rule: AlarmRuleAdd) -> AlarmRuleView:
        return await self._call("POST", "/v1/alarm-rules", AlarmRuleView, body=rule)

    async def edit_alarm_rule(self, ref: str, changes: AlarmRuleEdit) -> AlarmRuleView:
        return await self._call("PATCH", f"/v1/alarm-rules/{path_segment(ref)}", AlarmRuleView, body=changes)

    async def remove_alarm_rule(self, ref: str) -> None:
        """Alarms it raised stay."""
        await self._call("DELETE", f"/v1/alarm-rules/{path_segment(ref)}", None)

    async def test_alarm_rule(self, ref: str) -> AlarmTestReply:
        """Run the whole chain now, whatever its schedule says; returns when every action has ended."""
        return await self._call(
            "POST",
            f"/v1/alarm-rules/{path_segment(ref)}/test",
            AlarmTestReply,
            timeout_ms=ACTION_TIMEOUT_MS,
        )

    async def schedules(self) -> tuple[ScheduleTemplateView, ...]:
        return (await self._call("GET", "/v1/schedules", wire_calls.ScheduleList)).schedules

    async def put_schedule(self, template: ScheduleTemplate) -> ScheduleTemplateView:
        """Make it, or give it other cells."""
        return await self._call(
            "PUT", f"/v1/schedules/{path_segment(template.name)}", ScheduleTemplateView, body=template
        )

    async def remove_schedule(self, name: str) -> None:
        """Refused while something uses it."""
        await self._call("DELETE", f"/v1/schedules/{path_segment(name)}", None)

    # -- sources and settings --------------------------------------------------------------------------

    async def virtual_triggers(self) -> tuple[VirtualTrigger, ...]:
        return (await self._call("GET", "/v1/virtual-triggers", wire_calls.VirtualTriggerList)).triggers

    async def fire_trigger(self, name: str, text: str = "") -> None:
        await self._call(
            "POST", f"/v1/virtual-triggers/{path_segment(name)}", None, body=TriggerFire(text=text)
        )

    async def alarm_settings(self) -> AlarmSettings:
        """All parts are given; secrets are PLACEHOLDER."""
        return await self._call("GET", "/v1/alarm-settings", AlarmSettings)

    async def edit_alarm_settings(self, settings: AlarmSettings) -> AlarmSettings:
        return await self._call("PATCH", "/v1/alarm-settings", AlarmSettings, body=settings)

    async def test_mail(self, to: str) -> ActionResult:
        """A mail server that refuses is a reply, not an error."""
        return await self._call(
            "POST", "/v1/mail-tests", ActionResult, body=MailTest(to=to), timeout_ms=ACTION_TIMEOUT_MS
        )

    async def listening(self) -> ListenView:
        """The ports for messages from outside, and what came in last."""
        return await self._call("GET", "/v1/listening", ListenView)

    async def analytics(self, camera: str) -> AnalyticsView:
        return await self._call("GET", f"/v1/cameras/{path_segment(camera)}/analytics", AnalyticsView)

    async def edit_analytics(self, camera: str, settings: CameraAnalytics) -> AnalyticsView:
        return await self._call(
            "PUT", f"/v1/cameras/{path_segment(camera)}/analytics", AnalyticsView, body=settings
        )

    async def camera_io(self, camera: str) -> CameraIo:
        return await self._call(
            "GET", f"/v1/cameras/{path_segment(camera)}/io", CameraIo, timeout_ms=ONVIF_TIMEOUT_MS
        )

    # -- events as files, and the log ------------------------------------------------------------------

    async def event_csv(
        self,
        *,
        kinds: Sequence[str] = (),
        min_severity: str | None = None,
        source: str | None = None,
        start_us: int | None = None,
        end_us: int | None = None,
        text: str | None = None,
    ) -> bytes:
        """ES-03: all events that fit as CSV, UTF-8."""
        query: Mapping[str, str | int | Iterable[str] | None] = {
            "kind": tuple(kinds),
            "min_severity": min_severity,
            "source": source,
            "start_us": start_us,
            "end_us": end_us,
            "text": text,
        }
        return (await self._call("GET", "/v1/events/csv", wire_calls.CsvReply, query=query)).data

    async def log(self, query: LogQuery) -> LogPage:
        """Newest first."""
        return await self._call("POST", "/v1/log/query", LogPage, body=query)

    async def log_csv(self, query: LogQuery) -> bytes:
        """LS-03. `before` and `limit` do not count."""
        return (await self._call("POST", "/v1/log/csv", wire_calls.CsvReply, body=query)).data

    async def verify_log(self) -> LogVerification:
        """Whether the chain of operations is whole."""
        return await self._call("GET", "/v1/log/verification", LogVerification)
