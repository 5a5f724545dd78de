"""The event stream: a snapshot, then every change, to any number of readers that may be slow or stuck.

The hub looks at the views of all objects at most twice a second (once a second when nobody said that something
changed), and only while somebody reads; it sends what differs from the last look. So state costs the same however often
it changes, and no part of the engine has to say exactly what changed. Events are passed on as they come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from engine import wire
from engine.api.outbox import Outbox
from engine.api.services import Call, LiveViews, Services
from engine.api.views import event_view
from engine.events import Subscription
from engine.wire_alarms import AlarmCounts, AlarmRaised, AlarmsMessage, AlarmView
from engine.wire_chassis import ChassisView
from storage.catalog.records import EventRecord

TICK_S = 0.5
HEARTBEAT_S = 30.0
"""A reader that answers no ping within half of it is gone. Longer than any stall of an SSH link that is worth keeping."""
INCOMING_LIMIT_BYTES = 4096
"""Readers have nothing to say."""
NEWEST_EVENTS = 50

View = wire.CameraView | wire.VolumeView | wire.GroupView


class StreamHub:
    """Numbers the changes of the station and hands them to the readers' outboxes. Loop only."""

    def __init__(self, views: LiveViews, newest_events: Iterable[EventRecord] = ()) -> None:
        self._views = views
        self._sequence = 0
        self._events: deque[wire.EventView] = deque(map(event_view, newest_events), maxlen=NEWEST_EVENTS)
        """Newest first."""
        self._outboxes: set[Outbox] = set()
        self._known: dict[Hashable, View] = {}
        """As last sent."""
        self._chassis: ChassisView | None = None
        """As last sent."""
        self._alarms = AlarmCounts()
        """As last sent."""
        self.alarm_counts: Callable[[], AlarmCounts] = AlarmCounts
        """What the alarm service counts now."""
        self._is_changed = False
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def readers(self) -> int:
        return len(self._outboxes)

    def changed(self) -> None:
        """Something did: look at the next tick, not at the next second."""
        self._is_changed = True

    def station_view(self) -> wire.StationView:
        return self._views.station_view()

    def snapshot(self) -> wire.Snapshot:
        return wire.Snapshot(
            sequence=self._sequence,
            station=self._views.station_view(),
            cameras=tuple(self._views.camera_views()),
            volumes=tuple(self._views.volume_views()),
            groups=tuple(self._views.group_views()),
            events=tuple(self._events),
            chassis=self._views.chassis_view(),
            alarms=self.alarm_counts(),
        )

    async def watch_state(self) -> None:
        """For ever."""
        is_second = False
        while True:
            await asyncio.sleep(TICK_S)
            is_second = not is_second
            if self._outboxes and (is_second or self._is_changed):
                self.publish_changes()
            if self._outboxes and is_second:
                self._put_state(
                    "station",
                    wire.StationMessage(sequence=self._next(), station=self._views.station_view()),
                )

    async def watch_events(self, subscription: Subscription) -> None:
        """For ever."""
        async for event in subscription:
            self.event(event)

    def event(self, event: EventRecord) -> None:
        view = event_view(event)
        self._events.appendleft(view)
        sequence = self._next()
        message = msgspec.json.encode(wire.EventMessage(sequence=sequence, event=view))
        for outbox in self._outboxes:
            outbox.put_event(sequence, message)
        self._is_changed = True

    def alarm_raised(self, alarm: AlarmView, is_new: bool) -> None:
        """Passed on as it comes; how many a second is the alarm service's to bound."""
        if not self._outboxes:
            return
        sequence = self._next()
        message = msgspec.json.encode(AlarmRaised(sequence=sequence, alarm=alarm, is_new=is_new))
        for outbox in self._outboxes:
            outbox.put_event(sequence, message)
        self._is_changed = True

    def publish_changes(self) -> None:
        """Compare all views with the last ones and send what differs."""
        self._is_changed = False
        now = _by_key(self._views.camera_views(), self._views.volume_views(), self._views.group_views())
        before, self._known = self._known, now
        for key, gone in before.items():
            if key not in now:
                self._put_state(key, _removed(gone, self._next()))
        for key, view in now.items():
            if view != before.get(key):
                self._put_state(key, _changed(view, self._next()))
        self._publish_chassis()
        self._publish_alarms()

    def _publish_chassis(self) -> None:
        """Sent whole. The chassis makes a new view only when something changed: mostly the first look decides."""
        chassis, before = self._views.chassis_view(), self._chassis
        self._chassis = chassis
        if chassis is not None and chassis is not before and chassis != before:
            self._put_state("chassis", wire.ChassisMessage(sequence=self._next(), chassis=chassis))

    def _publish_alarms(self) -> None:
        """Counts and a revision: lists ask for what they show when it grew, however many steps it took."""
        counts, before = self.alarm_counts(), self._alarms
        self._alarms = counts
        if counts != before:
            self._put_state("alarms", AlarmsMessage(sequence=self._next(), counts=counts))

    def _put_state(self, key: Hashable, message: wire.StreamMessage) -> None:
        encoded = msgspec.json.encode(message)
        for outbox in self._outboxes:
            outbox.put_state(key, encoded)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    # -- one reader ------------------------------------------------------------------------------------

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Until the reader goes or the hub is closed."""
        outbox = Outbox()
        self._outboxes.add(outbox)
        self._sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(socket, outbox), name="stream reader")
                async for _ in socket:
                    pass  # pings, pongs and the close are answered inside; anything else is ignored
                sending.cancel()
        finally:
            self._outboxes.discard(outbox)
            self._sockets.discard(socket)

    async def _send(self, socket: web.WebSocketResponse, outbox: Outbox) -> None:
        try:
            while True:
                await outbox.wait()
                if outbox.needs_snapshot:
                    # No await between the views and the mark: nothing is missed, nothing comes twice.
                    self.publish_changes()
                    message = msgspec.json.encode(wire.SnapshotMessage(snapshot=self.snapshot()))
                    outbox.snapshot_taken()
                    outbox.take()
                    await socket.send_frame(message, WSMsgType.TEXT)
                for message in outbox.take():
                    await socket.send_frame(message, WSMsgType.TEXT)
        except ConnectionError:
            await socket.close()

    async def close(self) -> None:
        """Say good-bye to every reader: the engine stops."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the engine stops", drain=False)


def _by_key(
    cameras: Sequence[wire.CameraView],
    volumes: Sequence[wire.VolumeView],
    groups: Sequence[wire.GroupView],
) -> dict[Hashable, View]:
    found: dict[Hashable, View] = {("camera", camera.uuid): camera for camera in cameras}
    found.update((("volume", volume.uuid), volume) for volume in volumes)
    found.update((("group", group.id), group) for group in groups)
    return found


def _changed(view: View, sequence: int) -> wire.StreamMessage:
    match view:
        case wire.CameraView():
            return wire.CameraMessage(sequence=sequence, camera=view)
        case wire.VolumeView():
            return wire.VolumeMessage(sequence=sequence, volume=view)
        case wire.GroupView():
            return wire.GroupMessage(sequence=sequence, group=view)


def _removed(view: View, sequence: int) -> wire.StreamMessage:
    match view:
        case wire.CameraView():
            return wire.CameraRemoved(sequence=sequence, name=view.name, uuid=view.uuid)
        case wire.VolumeView():
            return wire.VolumeRemoved(sequence=sequence, name=view.name, uuid=view.uuid)
        case wire.GroupView():
            return wire.GroupRemoved(sequence=sequence, name=view.name)


HUB = web.AppKey("stream_hub", StreamHub)


async def serve(services: Services, call: Call[None, None], request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=INCOMING_LIMIT_BYTES)
    await socket.prepare(request)
    await request.app[HUB].serve(socket)
    return socket
