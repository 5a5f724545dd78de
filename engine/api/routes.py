"""The table of routes: what is served, by which handler, with which query, body and reply. The OpenAPI document and
the server are both made from it; who may use a route stands in permissions.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from engine import (
    wire,
    wire_alarm_rules,
    wire_alarms,
    wire_bookmarks,
    wire_calls,
    wire_chassis,
    wire_evidence,
    wire_links,
    wire_log,
    wire_search,
    wire_sources,
    wire_wall,
)
from engine.api import (
    handlers_alarm_rules,
    handlers_alarms,
    handlers_bookmarks,
    handlers_cameras,
    handlers_cases,
    handlers_chassis,
    handlers_export_jobs,
    handlers_exports,
    handlers_key,
    handlers_links,
    handlers_log,
    handlers_pictures,
    handlers_recordings,
    handlers_search,
    handlers_sources,
    handlers_station,
    handlers_storage,
    handlers_wall,
    openapi,
    stream,
)
from engine.api.services import Call, Services

Handler = Callable[[Services, Call[Any, Any]], Awaitable[msgspec.Struct | None]]
RawHandler = Callable[[Services, Call[Any, Any], web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route. Exactly one of `handler` (answers a value) and `raw` (writes its own response) is set."""

    method: str
    path: str
    summary: str
    handler: Handler | None = None
    raw: RawHandler | None = None
    query: type[wire.Request] | None = None
    body: type[wire.Request] | None = None
    reply: Any = None
    """Type of the JSON answer; None = 204 without a body, or for a raw handler what `media_type` says."""
    status: int = 200
    media_type: str = "application/json"
    ends_with_caller: bool = False
    """Nobody misses the work when the caller goes away: it is dropped. Never for what changes something."""

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


_station = handlers_station
_cameras = handlers_cameras
_storage = handlers_storage
_recordings = handlers_recordings
_chassis = handlers_chassis
_alarms = handlers_alarms
_desk = handlers_alarm_rules
_sources = handlers_sources
_log = handlers_log
_calls = wire_calls
_box = wire_chassis
_alarm = wire_alarms
_rule = wire_alarm_rules
_source = wire_sources
_entry = wire_log
_search = wire_search
_mark = wire_bookmarks
_evidence = wire_evidence
_wall = wire_wall
_link = wire_links

ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/version", "Versions of the API and of the software", _station.get_version, reply=_calls.VersionReply),
    Route("GET", "/v1/openapi.json", "This document", raw=openapi.send_document, reply=dict[str, Any]),
    Route("GET", "/v1/station", "The station: health and how many cameras record", _station.get_station, reply=wire.StationView),
    Route("GET", "/v1/snapshot", "The whole state at one moment", _station.get_snapshot, reply=wire.Snapshot),
    Route("GET", "/v1/stream", "WebSocket: a snapshot, then changes as they happen", raw=stream.serve, reply=wire.StreamMessage, status=101),
    Route("GET", "/v1/events", "Events, newest first", _station.list_events, query=_calls.EventQuery, reply=_calls.EventList),
    Route("GET", "/v1/events/csv", "Events as a CSV file", _log.export_events, query=_calls.EventFileQuery, reply=_calls.CsvReply),
    Route("GET", "/v1/cameras", "All cameras with their live state; or the removed ones", _cameras.list_cameras, query=_calls.CameraQuery, reply=_calls.CameraList),
    Route("POST", "/v1/cameras", "Add a camera", _cameras.add_camera, body=wire.CameraAdd, reply=wire.CameraView, status=201),
    Route("GET", "/v1/cameras/{ref}", "One camera, by name, UUID or id", _cameras.get_camera, reply=wire.CameraView),
    Route("PATCH", "/v1/cameras/{ref}", "Change a camera", _cameras.edit_camera, body=wire.CameraEdit, reply=wire.CameraView),
    Route("DELETE", "/v1/cameras/{ref}", "Remove a camera; its recordings stay until recycled", _cameras.remove_camera, status=204),
    Route("POST", "/v1/camera-tests", "Try a camera without adding it", _cameras.test_camera, body=wire.CameraTest, reply=wire.CameraTestReply),
    Route("GET", "/v1/volumes", "All volumes", _storage.list_volumes, reply=_calls.VolumeList),
    Route("POST", "/v1/volumes", "Add a volume", _storage.add_volume, body=wire.VolumeAdd, reply=wire.VolumeView, status=201),
    Route("GET", "/v1/volumes/{ref}", "One volume, by name, UUID or id", _storage.get_volume, reply=wire.VolumeView),
    Route("DELETE", "/v1/volumes/{ref}", "Forget a volume; its files stay", _storage.remove_volume, status=204),
    Route("GET", "/v1/groups", "All recording groups", _storage.list_groups, reply=_calls.GroupList),
    Route("POST", "/v1/groups", "Add a recording group", _storage.add_group, body=wire.GroupAdd, reply=wire.GroupView, status=201),
    Route("GET", "/v1/groups/{ref}", "One recording group, by name or id", _storage.get_group, reply=wire.GroupView),
    Route("PATCH", "/v1/groups/{ref}", "Change a recording group", _storage.edit_group, body=wire.GroupEdit, reply=wire.GroupView),
    Route("DELETE", "/v1/groups/{ref}", "Remove an empty recording group", _storage.remove_group, status=204),
    Route("GET", "/v1/recordings", "Segments on disk, in pages", _recordings.list_recordings, query=_calls.RecordingQuery, reply=_calls.RecordingList),
    Route("GET", "/v1/gaps", "What was expected and is not on disk", _recordings.list_gaps, query=_calls.StretchQuery, reply=_calls.GapList),
    Route("GET", "/v1/timeline", "Coverage, gaps and locks, one row a camera", _recordings.get_timeline, query=_calls.StretchQuery, reply=wire.Timeline),
    Route("GET", "/v1/locks", "Stretches that are never recycled", _recordings.list_locks, query=_calls.LockQuery, reply=_calls.LockList),
    Route("POST", "/v1/locks", "Lock a stretch of a camera's recordings", _recordings.add_lock, body=wire.LockAdd, reply=wire.LockView, status=201),
    Route("DELETE", "/v1/locks/{id}", "Release a lock", _recordings.remove_lock, status=204),
    Route("GET", "/v1/exports/plan", "What an export would hold", handlers_exports.plan, query=_calls.ExportQuery, reply=wire.ExportPlan),
    Route("GET", "/v1/exports", "A stretch of one camera as MP4", raw=handlers_exports.send, query=_calls.ExportQuery, media_type="video/mp4"),
    Route("POST", "/v1/pictures", "A picture, live or at a time, for a browser or a terminal", handlers_pictures.make_picture, body=wire.PictureRequest, reply=wire.PictureReply, ends_with_caller=True),
    Route("GET", "/v1/chassis", "The box: bays, drives, virtual drives, tasks, sensors, jobs", _chassis.get_chassis, reply=_box.ChassisView),
    Route("PUT", "/v1/chassis/uid", "The blue lamp that finds this box in a rack", _chassis.switch_uid, body=_box.UidSwitch, status=204),
    Route("POST", "/v1/chassis/bays", "The socket in which a drive is now is this bay", _chassis.learn_bay, body=_box.LearnBay, reply=_box.ChassisLayout),
    Route("PATCH", "/v1/chassis/upkeep", "Change the regular checks", _chassis.edit_upkeep, body=_box.UpkeepEdit, reply=_box.ScheduleView),
    Route("POST", "/v1/chassis/plans", "What an operation would do, erase and put at risk; changes nothing", _chassis.plan_operation, body=_box.PlanAsk, reply=_box.OperationPlan),
    Route("POST", "/v1/chassis/operations", "Carry out what was planned", _chassis.run_operation, body=_box.OperationRun, reply=_box.OperationDone),
    Route("GET", "/v1/chassis/levels", "What could be made of which drives, and why not", _chassis.list_levels, query=_calls.LevelQuery, reply=_box.SetUpChoices),
    Route("GET", "/v1/chassis/jobs", "Jobs not ended, and the last few that are", _chassis.list_jobs, reply=_calls.JobList),
    Route("GET", "/v1/chassis/jobs/{id}", "One job with its steps", _chassis.get_job, reply=_box.JobView),
    Route("POST", "/v1/chassis/jobs/{id}", "Answer a job that waits for a person", _chassis.act_on_job, body=_box.JobAct, reply=_box.JobView),
    Route("POST", "/v1/chassis/simulation", "One step of a scenario, on a simulated chassis", _chassis.simulate, body=_box.SimulatedStep, status=204),
    Route("GET", "/v1/chassis/detection", "What smartctl finds by itself, held against what the engine sees", _chassis.detect_drives, reply=_box.DetectionView),
    Route("GET", "/v1/gone-drives", "Drives that were here and are not now", _chassis.list_gone_drives, reply=_calls.GoneDriveList),
    Route("DELETE", "/v1/gone-drives/{ref}", "Forget one, with its history", _chassis.forget_drive, status=204),
    Route("GET", "/v1/drives", "All drives, by bay", _chassis.list_drives, reply=_calls.DriveList),
    Route("GET", "/v1/drives/{ref}", "One drive, by bay number, serial number or id: health, history, what it carries", _chassis.get_drive, reply=_box.DriveDetail),
    Route("POST", "/v1/drives/{ref}/locate", "Let its bay blink, for a time", _chassis.locate_drive, body=_box.DriveLocate, status=204),
    Route("POST", "/v1/drives/{ref}/tests", "Start its self-test", _chassis.start_self_test, body=_box.SelfTestStart, reply=_box.OperationDone),
    Route("DELETE", "/v1/drives/{ref}/tests", "Abort its self-test", _chassis.abort_self_test, status=204),
    Route("POST", "/v1/alarms/query", "A window of the alarm list, newest first", _alarms.query_alarms, body=_alarm.AlarmQuery, reply=_alarm.AlarmPage),
    Route("POST", "/v1/alarms/place", "At which index of the list an alarm is", _alarms.place_of_alarm, body=_alarm.AlarmPlaceQuery, reply=_alarm.AlarmPlace),
    Route("POST", "/v1/alarms/triage", "One step on some alarms, or on all of a filter", _alarms.triage_alarms, body=_alarm.AlarmTriage, reply=_alarm.TriageDone),
    Route("POST", "/v1/alarms/undo", "Take the caller's last step back", _alarms.undo_triage, reply=_alarm.TriageDone),
    Route("POST", "/v1/alarms/csv", "The alarm list as a CSV file", _alarms.export_alarms, body=_alarm.AlarmFilter, reply=_calls.CsvReply),
    Route("GET", "/v1/alarms/counts", "How many alarms are open", _alarms.count_alarms, reply=_alarm.AlarmCounts),
    Route("GET", "/v1/alarms/{id}", "One alarm with its history and what came of its actions", _alarms.get_alarm, reply=_alarm.AlarmDetail),
    Route("GET", "/v1/trigger-kinds", "What an alarm rule can be triggered by", _desk.list_trigger_kinds, reply=_calls.TriggerKindList),
    Route("GET", "/v1/alarm-rules", "All alarm rules", _desk.list_alarm_rules, reply=_calls.AlarmRuleList),
    Route("POST", "/v1/alarm-rules", "Add an alarm rule", _desk.add_alarm_rule, body=_rule.AlarmRuleAdd, reply=_rule.AlarmRuleView, status=201),
    Route("GET", "/v1/alarm-rules/{ref}", "One alarm rule, by name or id", _desk.get_alarm_rule, reply=_rule.AlarmRuleView),
    Route("PATCH", "/v1/alarm-rules/{ref}", "Change an alarm rule", _desk.edit_alarm_rule, body=_rule.AlarmRuleEdit, reply=_rule.AlarmRuleView),
    Route("DELETE", "/v1/alarm-rules/{ref}", "Remove an alarm rule; its alarms stay", _desk.remove_alarm_rule, status=204),
    Route("POST", "/v1/alarm-rules/{ref}/test", "Run the whole chain of a rule now", _desk.test_alarm_rule, reply=_rule.AlarmTestReply),
    Route("GET", "/v1/schedules", "Named weeks, for alarms and recording", _desk.list_schedules, reply=_calls.ScheduleList),
    Route("PUT", "/v1/schedules/{ref}", "Make a named week, or give it other cells", _desk.put_schedule, body=_rule.ScheduleTemplate, reply=_rule.ScheduleTemplateView),
    Route("DELETE", "/v1/schedules/{ref}", "Remove a named week that nothing uses", _desk.remove_schedule, status=204),
    Route("GET", "/v1/virtual-triggers", "The buttons that rules have", _desk.list_virtual_triggers, reply=_calls.VirtualTriggerList),
    Route("POST", "/v1/virtual-triggers/{ref}", "Press a button", _desk.fire_trigger, body=_source.TriggerFire, status=204),
    Route("GET", "/v1/alarm-settings", "Mail server, ports for messages, preservation", _sources.get_alarm_settings, reply=_source.AlarmSettings),
    Route("PATCH", "/v1/alarm-settings", "Replace the parts given", _sources.edit_alarm_settings, body=_source.AlarmSettings, reply=_source.AlarmSettings),
    Route("POST", "/v1/mail-tests", "Send a test mail", _sources.test_mail, body=_source.MailTest, reply=_rule.ActionResult),
    Route("GET", "/v1/listening", "The ports for messages from outside, and the last messages", _sources.get_listening, reply=_source.ListenView),
    Route("GET", "/v1/cameras/{ref}/analytics", "What is done with a camera's events and pictures", _sources.get_analytics, reply=_source.AnalyticsView),
    Route("PUT", "/v1/cameras/{ref}/analytics", "Change it", _sources.edit_analytics, body=_source.CameraAnalytics, reply=_source.AnalyticsView),
    Route("GET", "/v1/cameras/{ref}/io", "Presets, outputs and inputs, asked of the camera now", _sources.get_camera_io, reply=_source.CameraIo),
    Route("POST", "/v1/log/query", "Operations and events, newest first, in pages", _log.query_log, body=_entry.LogQuery, reply=_entry.LogPage),
    Route("POST", "/v1/log/csv", "The log as a CSV file", _log.export_log, body=_entry.LogQuery, reply=_calls.CsvReply),
    Route("GET", "/v1/log/verification", "Whether the chain of operations is whole", _log.verify_log, reply=_entry.LogVerification),
    Route("GET", "/v1/activity", "How much went on in a camera's picture, along time", handlers_search.get_activity, query=_search.ActivityQuery, reply=_search.ActivityView, ends_with_caller=True),
    Route("POST", "/v1/motion-searches", "Look for motion in a part of a camera's picture", handlers_search.begin_motion_search, body=_search.MotionSearch, reply=_search.MotionSearchView, status=201, ends_with_caller=True),
    Route("GET", "/v1/motion-searches/{id}", "How far a search is and what it found", handlers_search.get_motion_search, query=_search.SearchWait, reply=_search.MotionSearchView),
    Route("DELETE", "/v1/motion-searches/{id}", "End a search", handlers_search.cancel_motion_search, status=204),
    Route("POST", "/v1/bookmarks/query", "Bookmarks, newest footage first, in pages", handlers_bookmarks.query_bookmarks, body=_mark.BookmarkQuery, reply=_mark.BookmarkPage),
    Route("POST", "/v1/bookmarks", "Keep a moment from recycling, with a name", handlers_bookmarks.add_bookmark, body=_mark.BookmarkAdd, reply=_mark.BookmarkView, status=201),
    Route("GET", "/v1/bookmarks/{id}", "One bookmark", handlers_bookmarks.get_bookmark, reply=_mark.BookmarkView),
    Route("PATCH", "/v1/bookmarks/{id}", "Change a bookmark", handlers_bookmarks.edit_bookmark, body=_mark.BookmarkEdit, reply=_mark.BookmarkView),
    Route("DELETE", "/v1/bookmarks/{id}", "Remove a bookmark and its protection", handlers_bookmarks.remove_bookmark, status=204),
    Route("GET", "/v1/cases", "Cases with their stretches, newest first", handlers_cases.list_cases, reply=_evidence.CaseList),
    Route("POST", "/v1/cases", "Begin a case", handlers_cases.add_case, body=_evidence.CaseAdd, reply=_evidence.CaseView, status=201),
    Route("GET", "/v1/cases/{ref}", "One case, by name or id", handlers_cases.get_case, reply=_evidence.CaseView),
    Route("PATCH", "/v1/cases/{ref}", "Rename, comment or reorder a case", handlers_cases.edit_case, body=_evidence.CaseEdit, reply=_evidence.CaseView),
    Route("DELETE", "/v1/cases/{ref}", "Remove a case and what protects its footage", handlers_cases.remove_case, status=204),
    Route("POST", "/v1/cases/{ref}/items", "Add a stretch to a case", handlers_cases.add_case_item, body=_evidence.CaseItemAdd, reply=_evidence.CaseView, status=201),
    Route("PATCH", "/v1/cases/{ref}/items/{id}", "Change a stretch of a case", handlers_cases.edit_case_item, body=_evidence.CaseItemEdit, reply=_evidence.CaseView),
    Route("DELETE", "/v1/cases/{ref}/items/{id}", "Take a stretch out of a case", handlers_cases.remove_case_item, reply=_evidence.CaseView),
    Route("POST", "/v1/export-jobs/plan", "How large an export would be, and whether there is room", handlers_export_jobs.plan_export_job, body=_evidence.ExportAsk, reply=_evidence.ExportPlanView),
    Route("GET", "/v1/export-jobs", "Exports made by the engine, newest first", handlers_export_jobs.list_export_jobs, reply=_evidence.ExportJobList),
    Route("POST", "/v1/export-jobs", "Begin an export that does not need the console", handlers_export_jobs.start_export_job, body=_evidence.ExportAsk, reply=_evidence.ExportJobView, status=201),
    Route("GET", "/v1/export-jobs/{id}", "One export", handlers_export_jobs.get_export_job, reply=_evidence.ExportJobView),
    Route("POST", "/v1/export-jobs/{id}/cancel", "Stop an export; nothing half-written is left", handlers_export_jobs.cancel_export_job, reply=_evidence.ExportJobView),
    Route("DELETE", "/v1/export-jobs/{id}", "Remove an export with its files", handlers_export_jobs.remove_export_job, status=204),
    Route("GET", "/v1/export-jobs/{id}/files/{name}", "A file of an export", raw=handlers_export_jobs.send_export_file, media_type="application/octet-stream"),
    Route("GET", "/v1/station/key", "The public key that proves exports", handlers_key.get_station_key, reply=_evidence.StationKeyView),
    Route("GET", "/v1/arrangements", "Layouts, views and tours of the live wall, and what consoles show first", handlers_wall.get_arrangements, reply=_wall.Arrangements),
    Route("PUT", "/v1/layouts/{name}", "Save or rename a layout", handlers_wall.put_layout, body=_wall.Layout, reply=_wall.Arrangements),
    Route("DELETE", "/v1/layouts/{name}", "Remove a layout", handlers_wall.remove_layout, reply=_wall.Arrangements),
    Route("PUT", "/v1/views/{name}", "Save or rename a view", handlers_wall.put_view, body=_wall.WallView, reply=_wall.Arrangements),
    Route("DELETE", "/v1/views/{name}", "Remove a view that nothing shows", handlers_wall.remove_view, reply=_wall.Arrangements),
    Route("PUT", "/v1/tours/{name}", "Save or rename a tour", handlers_wall.put_tour, body=_wall.Tour, reply=_wall.Arrangements),
    Route("DELETE", "/v1/tours/{name}", "Remove a tour that nothing shows", handlers_wall.remove_tour, reply=_wall.Arrangements),
    Route("PUT", "/v1/start-up", "What consoles show first", handlers_wall.put_start_up, body=_wall.StartUp, reply=_wall.Arrangements),
    Route("GET", "/v1/last-wall/{terminal}", "How the caller's live wall was left on a terminal", handlers_wall.get_last_wall, reply=_wall.LastWall),
    Route("PUT", "/v1/last-wall/{terminal}", "Keep how it is left; of the caller alone", handlers_wall.put_last_wall, body=_wall.LastWall, status=204),
    Route("POST", "/v1/video-links", "An address for a player elsewhere, for a while", handlers_links.add_video_link, body=_link.VideoLinkAsk, reply=_link.VideoLink, status=201),
    Route("GET", "/v1/video-links", "Addresses that are open", handlers_links.list_video_links, reply=_link.VideoLinkList),
    Route("DELETE", "/v1/video-links/{id}", "Close an address", handlers_links.remove_video_link, status=204),
)  # fmt: skip
