"""One camera's life: when it is expected, connect, stream, lost, again. Decides when to try, not what to record.

Called by the recording service, which runs `CameraRunner.run` as the camera's only task: one connection at a
time, for ever. Whatever a session raises ends that session and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine.cameras.source import PacketSource, SourceSettings
from engine.events import EventBus
from engine.recording.recorder import Recorder
from engine.recording.schedule import is_on, next_change_us, previous_change_us
from engine.supervise import Backoff, Sleep, attempt
from engine.wire import CameraState
from storage.catalog.records import Camera, GapCause, RecordingMode, Severity
from storage.clock import Clock
from storage.errors import (
    CameraProtocolError,
    CameraRefused,
    CameraStalled,
    CameraUnreachable,
    CameraUnsupported,
    Conflict,
    WatchdeckError,
)
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

SLOW_RETRY_S = 60.0
"""A camera that says no is not asked again sooner: many lock an account after some wrong passwords."""
STABLE_US = 30 * US_PER_SECOND
"""A session that streamed this long resets the back-off."""

_CAUSES: dict[type[WatchdeckError], GapCause] = {
    CameraUnreachable: GapCause.CAMERA_UNREACHABLE,
    CameraRefused: GapCause.CAMERA_REFUSED,
    CameraStalled: GapCause.CAMERA_STALLED,
    CameraProtocolError: GapCause.CAMERA_PROTOCOL_ERROR,
    CameraUnsupported: GapCause.CAMERA_UNSUPPORTED,
}

ARRIVING = (CameraState.STREAMING, CameraState.RECORDING, CameraState.WAITING)
"""Video arrives."""
_ENDS = (CameraState.LOST, CameraState.REFUSED, CameraState.OFF)
_MOVES: dict[CameraState, frozenset[CameraState]] = {
    CameraState.OFF: frozenset({CameraState.CONNECTING}),
    CameraState.CONNECTING: frozenset({*ARRIVING, *_ENDS}),
    CameraState.STREAMING: frozenset({CameraState.RECORDING, CameraState.WAITING, *_ENDS}),
    CameraState.RECORDING: frozenset({CameraState.STREAMING, CameraState.WAITING, *_ENDS}),
    CameraState.WAITING: frozenset({CameraState.STREAMING, CameraState.RECORDING, *_ENDS}),
    CameraState.LOST: frozenset({CameraState.CONNECTING, CameraState.OFF}),
    CameraState.REFUSED: frozenset({CameraState.CONNECTING, CameraState.OFF}),
}


@dataclass(slots=True)
class CameraCondition:
    """What is shown of a camera's state."""

    state: CameraState = CameraState.OFF
    since_us: int = 0
    cause: str = ""
    cause_code: str = ""
    retry_at_us: int | None = None


class CameraRunner:
    """State machine of one camera.

    off -> connecting -> streaming <-> recording <-> waiting, from those -> lost or refused -> connecting; -> off from any.
    `streaming`, `recording` and `waiting` follow the recorder: recording only while bytes reach the disk, waiting while no event asks for them.
    """

    def __init__(
        self,
        camera: Camera,
        password: str,
        recorder: Recorder,
        *,
        source_factory: Callable[[SourceSettings], PacketSource],
        clock: Clock,
        events: EventBus,
        on_change: Callable[[], None],
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.camera = camera
        self.recorder = recorder
        self.condition = CameraCondition(since_us=clock.now_us())
        self.reconnects = 0
        self._password = password
        self._source_factory = source_factory
        self._clock = clock
        self._events = events
        self._on_change = on_change
        self._sleep = sleep
        self._backoff = Backoff(random=chance)
        self._timer: asyncio.Task[None] | None = None
        self._down_since_us: int | None = None
        self._down_state = CameraState.OFF
        self._is_stopped_said = False
        self._streaming_since_us: int | None = None
        self._keep_until_us = 0
        """Off its schedule: recorded until then, because of an event."""

    @property
    def name(self) -> str:
        return self.camera.name

    def is_expected(self, time_us: int) -> bool:
        """It is to be on disk at that moment."""
        camera = self.camera
        if not camera.is_enabled or camera.mode is RecordingMode.OFF:
            return False
        if camera.mode is RecordingMode.SCHEDULE:
            is_scheduled = camera.schedule is not None and is_on(camera.schedule, time_us)
            return is_scheduled or time_us < self._keep_until_us
        if camera.mode is RecordingMode.EVENTS:
            return self.recorder.clips is not None and self.recorder.clips.is_keeping
        return True

    def _is_wanted(self, time_us: int) -> bool:
        """It is to be connected at that moment."""
        is_waiting = self.camera.is_enabled and self.camera.mode is RecordingMode.EVENTS
        return is_waiting or self.is_expected(time_us)

    def takes_over(self, camera: Camera, password: str) -> bool:
        """Follow an edit that needs no new session; False when it needs one."""
        before = msgspec.structs.replace(
            self.camera,
            name=camera.name,
            pre_event_s=camera.pre_event_s,
            post_event_s=camera.post_event_s,
            live_url=camera.live_url,
        )
        if before != camera or password != self._password:
            return False
        self.camera = self.recorder.footage.camera = camera
        if self.recorder.clips is not None:
            self.recorder.clips.set_pre_event(camera.pre_event_s * US_PER_SECOND)
        return True

    def keep(self, start_us: int, end_us: int) -> str:
        """Bring this stretch to disk, as far as the camera is not recorded anyway; says what will come of it. Raises Conflict.

        Off its schedule a camera is not connected: what it films is recorded from now on, for as long as was asked.
        """
        camera, now_us = self.camera, self._clock.now_us()
        if not camera.is_enabled or camera.mode is RecordingMode.OFF:
            raise Conflict(f"camera {camera.name} does not record: {self._why_off()[0]}", "edit the camera")
        if camera.mode is RecordingMode.EVENTS and self.recorder.clips is not None:
            since_us = self.recorder.clips.keep(start_us, end_us)
            self.refresh()
            if self.condition.state not in ARRIVING:
                return f"nothing arrives from it now ({self.condition.cause or self.condition.state}), kept when it does"
            return f"kept from {_ago(now_us - since_us)} {_until_words(end_us - now_us)}"
        if camera.mode is not RecordingMode.SCHEDULE or camera.schedule is None:
            return "recorded anyway"
        change_us = next_change_us(camera.schedule, now_us)
        is_scheduled = is_on(camera.schedule, now_us)
        if is_scheduled and (change_us is None or change_us >= end_us):
            return "recorded anyway"
        length_us = 0 if is_scheduled else end_us - start_us
        self._keep_until_us = max(self._keep_until_us, end_us, now_us + length_us)
        self._look_again()
        return f"recorded {_until_words(self._keep_until_us - now_us)}; nothing from before: it was off its schedule"

    # -- tasks -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever; cancel to stop. What was received is handed to the volume in any case."""
        while True:
            now_us = self._clock.now_us()
            is_wanted = self._is_wanted(now_us)
            async with asyncio.TaskGroup() as group:
                sessions = None
                if self.is_expected(now_us):
                    self._expect(now_us)
                else:
                    self.recorder.footage.expect_nothing(self._not_expected_since_us(now_us))
                if is_wanted:
                    sessions = group.create_task(self._sessions(), name=f"camera:{self.camera.id} main")
                else:
                    self._enter(CameraState.OFF, *self._why_off())
                while self._is_wanted(now_us) == is_wanted:
                    self._timer = group.create_task(
                        self._until(self._next_look_us(now_us)), name=f"camera:{self.camera.id} timer"
                    )
                    await asyncio.wait({self._timer})
                    now_us = self._clock.now_us()
                if sessions is not None:
                    sessions.cancel()

    def clock_stepped(self) -> None:
        """Look at the schedule again: the time until its next change is another one now."""
        if self.camera.mode is RecordingMode.SCHEDULE:
            self._look_again()

    def _look_again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _next_look_us(self, now_us: int) -> int | None:
        """When it may be wanted where it is not now, or the other way round."""
        camera = self.camera
        if camera.mode is not RecordingMode.SCHEDULE or camera.schedule is None:
            return None
        change_us = next_change_us(camera.schedule, now_us)
        if self._keep_until_us <= now_us:
            return change_us
        return self._keep_until_us if change_us is None else min(change_us, self._keep_until_us)

    async def _until(self, time_us: int | None) -> None:
        if time_us is None:
            await asyncio.Event().wait()
            return
        await self._sleep((time_us - self._clock.now_us()) / US_PER_SECOND)

    def _expect(self, now_us: int) -> None:
        since_us = None
        if self.camera.mode is RecordingMode.SCHEDULE and self.camera.schedule is not None:
            since_us = previous_change_us(self.camera.schedule, now_us)
        # A schedule that began while nobody looked (the engine was away) is not this runner's to account for.
        is_just_now = since_us is not None and now_us - since_us < US_PER_SECOND
        self.recorder.footage.expect(since_us if since_us is not None and is_just_now else now_us)

    def _not_expected_since_us(self, now_us: int) -> int:
        """A gap of before the engine's start ends where the schedule ended, or the event, if that is over already."""
        camera, footage = self.camera, self.recorder.footage
        if camera.mode is RecordingMode.EVENTS and camera.is_enabled:
            gap_start_us = footage.gaps.start_us
            if footage.is_expected or gap_start_us is None:
                return now_us
            return min(now_us, gap_start_us + camera.post_event_s * US_PER_SECOND)
        if not camera.is_enabled or camera.mode is not RecordingMode.SCHEDULE or camera.schedule is None:
            return now_us
        since_us = previous_change_us(camera.schedule, now_us)
        return now_us if since_us is None else max(since_us, self._keep_until_us)

    async def _sessions(self) -> None:
        while True:
            self._enter(CameraState.CONNECTING, self.condition.cause, self.condition.cause_code)
            error = await self._session()
            delay_s = self._delay_s(error)
            self._went_down(error, delay_s)
            await self._sleep(delay_s)
            self.reconnects += 1

    async def _session(self) -> WatchdeckError | None:
        self._streaming_since_us = None
        settings = SourceSettings(
            url=self.camera.url,
            user=self.camera.user,
            password=self._password,
            wants_audio=self.camera.record_audio,
            transport=self.camera.transport,
            verify_tls=self.camera.verify_tls,
        )

        async def session() -> None:
            await self._source_factory(settings).run(self.recorder)

        try:
            error = await attempt(f"camera {self.name}", session)
        except asyncio.CancelledError:
            self.recorder.session_ended("stopped", None)
            raise
        cause = _cause(error)
        self.recorder.session_ended(
            str(error) if error is not None else "the stream ended", cause, _words(error)
        )
        return error

    def _delay_s(self, error: WatchdeckError | None) -> float:
        since_us = self._streaming_since_us
        if since_us is not None and self._clock.monotonic_us() - since_us >= STABLE_US:
            self._backoff.reset()
        if isinstance(error, CameraRefused | CameraUnsupported):
            return self._backoff.scattered(SLOW_RETRY_S)
        return self._backoff.next_delay_s()

    # -- states ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Follow the recorder; called when it changes and once a second."""
        if self.condition.state is not CameraState.CONNECTING and self.condition.state not in ARRIVING:
            return
        recorder = self.recorder
        if not recorder.has_video:
            return
        if self._streaming_since_us is None:
            self._streaming_since_us = self._clock.monotonic_us()
            self._came_up()
        clips = recorder.clips
        if clips is not None and not clips.is_keeping and not recorder.is_starving:
            short = (
                ", without all of the seconds before it: memory is full" if clips.is_short_of_memory else ""
            )
            self._enter(CameraState.WAITING, f"waiting for an event{short}", "waiting_for_event")
            self._say_resumed()
        elif recorder.footage.is_on_disk:
            self._enter(CameraState.RECORDING, "")
            self._say_resumed()
        elif recorder.footage.trouble is not None:
            cause, words = recorder.footage.trouble
            self._enter(CameraState.STREAMING, words, cause)
            self._say_stopped(words)
        elif recorder.is_starving:
            self._enter(CameraState.STREAMING, "no picture arrives", "no_picture")
        elif self.condition.state is CameraState.RECORDING:
            words = "nothing has reached the disk for 10 s"
            self._enter(CameraState.STREAMING, words, "not_written")
            self._say_stopped(words)
        elif self.condition.state in (CameraState.CONNECTING, CameraState.WAITING):
            self._enter(CameraState.STREAMING, "waiting for the first part", "starting")

    def _enter(self, state: CameraState, cause: str, code: str = "", retry_at_us: int | None = None) -> None:
        condition = self.condition
        if (condition.state, condition.cause, condition.retry_at_us) == (state, cause, retry_at_us):
            return
        if state is not condition.state:
            if state not in _MOVES[condition.state]:
                raise ValueError(f"camera {self.name}: {condition.state} -> {state}")
            log.info("camera %s: %s -> %s %s", self.name, condition.state, state, cause)
            condition.state = state
            # Trying again does not begin a new outage: "lost for 3 h" counts from its first moment.
            is_down = state in (CameraState.CONNECTING, CameraState.LOST, CameraState.REFUSED)
            condition.since_us = (is_down and self._down_since_us) or self._clock.now_us()
        condition.cause, condition.cause_code, condition.retry_at_us = cause, code, retry_at_us
        self._on_change()

    def _why_off(self) -> tuple[str, str]:
        if not self.camera.is_enabled:
            return "disabled", "disabled"
        if self.camera.mode is RecordingMode.OFF:
            return "its recording mode is off", "mode_off"
        return "its schedule says not now", "scheduled_off"

    def _went_down(self, error: WatchdeckError | None, delay_s: float) -> None:
        is_refused = isinstance(error, CameraRefused | CameraUnsupported)
        state = CameraState.REFUSED if is_refused else CameraState.LOST
        words = _words(error)
        if self._down_since_us is None:
            self._down_since_us = self._clock.now_us()
        if state is not self._down_state:
            self._down_state = state
            kind = "camera.refused" if is_refused else "camera.lost"
            remedy = f" ({error.remedy})" if error is not None and error.remedy else ""
            self._events.publish(kind, f"{words}{remedy}", severity=Severity.WARNING, source=self.name)
        retry_at_us = self._clock.now_us() + round(delay_s * US_PER_SECOND)
        self._enter(state, words, error.code if error is not None else "stream_ended", retry_at_us)

    def _came_up(self) -> None:
        if self._down_since_us is None:
            return
        away_s = max(0, self._clock.now_us() - self._down_since_us) // US_PER_SECOND
        self._down_since_us = None
        self._down_state = CameraState.OFF
        self._events.publish("camera.back", f"streams again after {away_s} s", source=self.name)

    def _say_stopped(self, words: str) -> None:
        if not self._is_stopped_said:
            self._is_stopped_said = True
            self._events.publish(
                "recording.stopped", f"not recorded: {words}", severity=Severity.CRITICAL, source=self.name
            )

    def _say_resumed(self) -> None:
        if self._is_stopped_said:
            self._is_stopped_said = False
            self._events.publish("recording.resumed", "recorded again", source=self.name)


def _ago(us: int) -> str:
    return f"{us / US_PER_SECOND:.0f} s ago" if us >= US_PER_SECOND else "now on"


def _until_words(us: int) -> str:
    """Of a moment so far ahead."""
    return f"for another {us / US_PER_SECOND:.0f} s" if us >= US_PER_SECOND else "to the end of the event"


def _cause(error: WatchdeckError | None) -> GapCause:
    if error is None:
        return GapCause.CAMERA_UNREACHABLE
    return next(
        (cause for kind, cause in _CAUSES.items() if isinstance(error, kind)), GapCause.CAMERA_PROTOCOL_ERROR
    )


def _words(error: WatchdeckError | None) -> str:
    return error.what if error is not None else "the stream ended"
