"""Which calls are operations: what the log calls them, how grave they are, and the words for how one ended.

An operation is what somebody did through console, command or API: who, what, on which thing, with success or the error's
words. Never a body, never a secret. The server notes them around every handler; handlers know nothing of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import msgspec
from aiohttp import web

from engine.api.refusals import Refusals
from engine.api.services import Operations
from engine.supervise import flattened
from engine.wire_alarms import TriageDone
from engine.wire_chassis import OperationDone
from storage.catalog.alarm_records import OperationRow
from storage.clock import Clock
from storage.errors import NotPermitted, WatchdeckError
from storage.plain_text import plain_text

if TYPE_CHECKING:
    from engine.api.permissions import Caller
    from engine.api.routes import Route

log = logging.getLogger(__name__)

MAJOR, NORMAL, MINOR = "major", "normal", "minor"
REFUSED = "access.refused"
"""Of calls that nobody would have noted had they been allowed."""


class Audited(NamedTuple):
    type: str
    severity: str
    """Configuration is major, handling alarms and footage normal, the rest minor. How long each is kept: PR-18."""


AUDITED: Mapping[str, Audited] = {
    "POST /v1/cameras": Audited("camera.add", MAJOR),
    "PATCH /v1/cameras/{ref}": Audited("camera.edit", MAJOR),
    "DELETE /v1/cameras/{ref}": Audited("camera.remove", MAJOR),
    "PUT /v1/cameras/{ref}/analytics": Audited("camera.analytics", MAJOR),
    "POST /v1/volumes": Audited("volume.add", MAJOR),
    "DELETE /v1/volumes/{ref}": Audited("volume.remove", MAJOR),
    "POST /v1/groups": Audited("group.add", MAJOR),
    "PATCH /v1/groups/{ref}": Audited("group.edit", MAJOR),
    "DELETE /v1/groups/{ref}": Audited("group.remove", MAJOR),
    "POST /v1/locks": Audited("lock.add", NORMAL),
    "DELETE /v1/locks/{id}": Audited("lock.remove", NORMAL),
    "GET /v1/exports": Audited("recording.export", NORMAL),
    "PUT /v1/chassis/uid": Audited("chassis.uid", MINOR),
    "POST /v1/chassis/bays": Audited("chassis.learn_bay", MAJOR),
    "PATCH /v1/chassis/upkeep": Audited("chassis.upkeep", MAJOR),
    "POST /v1/chassis/operations": Audited("chassis.operation", MAJOR),
    "POST /v1/chassis/jobs/{id}": Audited("job.answer", MAJOR),
    "POST /v1/chassis/simulation": Audited("chassis.simulate", MINOR),
    "DELETE /v1/gone-drives/{ref}": Audited("drive.forget", MAJOR),
    "POST /v1/drives/{ref}/locate": Audited("drive.locate", MINOR),
    "POST /v1/drives/{ref}/tests": Audited("drive.test", MINOR),
    "DELETE /v1/drives/{ref}/tests": Audited("drive.abort_test", MINOR),
    "POST /v1/alarms/triage": Audited("alarm.triage", NORMAL),
    "POST /v1/alarms/undo": Audited("alarm.undo", NORMAL),
    "POST /v1/alarm-rules": Audited("alarm_rule.add", MAJOR),
    "PATCH /v1/alarm-rules/{ref}": Audited("alarm_rule.edit", MAJOR),
    "DELETE /v1/alarm-rules/{ref}": Audited("alarm_rule.remove", MAJOR),
    "POST /v1/alarm-rules/{ref}/test": Audited("alarm_rule.test", MINOR),
    "PUT /v1/schedules/{ref}": Audited("schedule.set", MAJOR),
    "DELETE /v1/schedules/{ref}": Audited("schedule.remove", MAJOR),
    "POST /v1/virtual-triggers/{ref}": Audited("trigger.fire", MINOR),
    "PATCH /v1/alarm-settings": Audited("alarm_settings.edit", MAJOR),
    "POST /v1/mail-tests": Audited("mail.test", MINOR),
    "POST /v1/bookmarks": Audited("bookmark.add", NORMAL),
    "PATCH /v1/bookmarks/{id}": Audited("bookmark.edit", NORMAL),
    "DELETE /v1/bookmarks/{id}": Audited("bookmark.remove", NORMAL),
    "POST /v1/cases": Audited("case.add", NORMAL),
    "PATCH /v1/cases/{ref}": Audited("case.edit", NORMAL),
    "DELETE /v1/cases/{ref}": Audited("case.remove", NORMAL),
    "POST /v1/cases/{ref}/items": Audited("case.add_item", NORMAL),
    "PATCH /v1/cases/{ref}/items/{id}": Audited("case.edit_item", NORMAL),
    "DELETE /v1/cases/{ref}/items/{id}": Audited("case.remove_item", NORMAL),
    "POST /v1/export-jobs": Audited("export.start", NORMAL),
    "POST /v1/export-jobs/{id}/cancel": Audited("export.cancel", NORMAL),
    "DELETE /v1/export-jobs/{id}": Audited("export.remove", NORMAL),
    "GET /v1/export-jobs/{id}/files/{name}": Audited("export.fetch", NORMAL),
    "PUT /v1/layouts/{name}": Audited("layout.set", MINOR),
    "DELETE /v1/layouts/{name}": Audited("layout.remove", MINOR),
    "PUT /v1/views/{name}": Audited("view.set", MINOR),
    "DELETE /v1/views/{name}": Audited("view.remove", MINOR),
    "PUT /v1/tours/{name}": Audited("tour.set", MINOR),
    "DELETE /v1/tours/{name}": Audited("tour.remove", MINOR),
    "PUT /v1/start-up": Audited("start_up.set", MINOR),
    "POST /v1/video-links": Audited("video_link.add", NORMAL),
    "DELETE /v1/video-links/{id}": Audited("video_link.remove", NORMAL),
}
"""By the key of the route. All that change something, and those that take footage away."""

QUESTIONS = frozenset(
    {
        "POST /v1/alarms/query",
        "POST /v1/alarms/place",
        "POST /v1/alarms/csv",
        "POST /v1/log/query",
        "POST /v1/log/csv",
        "POST /v1/chassis/plans",
        "POST /v1/pictures",
        "POST /v1/camera-tests",
        "POST /v1/motion-searches",
        "DELETE /v1/motion-searches/{id}",
        "POST /v1/bookmarks/query",
        "POST /v1/export-jobs/plan",
        "PUT /v1/last-wall/{terminal}",
    }
)
"""Routes that take a body only because what they ask does not fit a URL, or stop being asked: they change nothing. Or nothing but what
the caller alone sees: how a wall was left."""


@dataclass(slots=True)
class AuditedCall:
    """One call, as `async with`: leaving the block notes how it ended."""

    operations: Operations
    clock: Clock
    route: Route
    caller: Caller
    request: web.Request
    refusals: Refusals
    reply: msgspec.Struct | None = None
    """Set by the server when there is one."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        row = self._row(error)
        if row is None:
            return
        if isinstance(error, NotPermitted) and not self.refusals.note(self.caller.name, error.what):
            return
        if error is None or isinstance(error, Exception):
            await self.operations.add(row)
        else:  # cancelled: the engine stops, and waiting for room would hold it up
            self.operations.add_at_once(row)

    def _row(self, error: BaseException | None) -> OperationRow | None:
        audited = AUDITED.get(self.route.key)
        if audited is None:
            if not isinstance(error, NotPermitted):
                return None
            audited = Audited(REFUSED, NORMAL)
        return OperationRow(
            time_us=self.clock.now_us(),
            actor=self.caller.name,
            type=audited.type,
            source=plain_text(self._source()),
            text=plain_text(self._said() if error is None else words_of(error)),
            severity=audited.severity,
            is_success=error is None,
        )

    def _source(self) -> str:
        """The thing by its name where the answer has it, else as the caller named it."""
        for field in ("name", "camera"):
            named = getattr(self.reply, field, None)
            if isinstance(named, str) and named:
                return named
        if self.request.match_info:
            return next(iter(self.request.match_info.values()))
        return self.request.query.get("camera", "")

    def _said(self) -> str:
        match self.reply:
            case TriageDone(what=what):
                return what
            case OperationDone(text=text):
                return text
        return self.route.summary


def words_of(error: BaseException) -> str:
    """Fit for the log: what was seen, without a remedy; of a defect only that it was one."""
    leaves: list[Any] = flattened(error)
    known = [leaf for leaf in leaves if isinstance(leaf, WatchdeckError)]
    if known and len(known) == len(leaves):
        return known[0].what
    if isinstance(error, web.HTTPException):
        return error.reason
    if isinstance(error, ConnectionError):
        return "the caller went away"
    return "not ended: the engine stopped" if not isinstance(error, Exception) else "a defect of the engine"
