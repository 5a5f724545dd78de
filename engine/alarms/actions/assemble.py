"""The runner and all kinds of actions put together: made by the station, with what each of them needs. Loop only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.alarms.actions.bookmark import Bookmarker
from engine.alarms.actions.box_beeper import BoxBeeper, Speaker
from engine.alarms.actions.http import perform_http
from engine.alarms.actions.live import perform_live
from engine.alarms.actions.mail import Mailer, Snapshots
from engine.alarms.actions.output import OutputCameras, OutputSwitch
from engine.alarms.actions.preset import PresetCaller, PresetCameras
from engine.alarms.actions.push import Pusher
from engine.alarms.actions.record import ClipRecorder, Recording
from engine.alarms.actions.runner import ActionRunner
from engine.alarms.actions.sound import Ringer
from engine.background import in_background
from engine.catalog_access import CatalogAccess
from engine.supervise import keep_running
from engine.wire_alarm_rules import (
    BookmarkAction,
    HttpAction,
    LiveAction,
    MailAction,
    OutputAction,
    PresetAction,
    PushAction,
    RecordAction,
    SoundAction,
)
from storage.clock import Clock


class OnvifCameras(PresetCameras, OutputCameras, Protocol):
    """engine.onvif.service.OnvifService, as far as actions need it."""


class AlarmActions:
    """`runner` is for the alarm service, `mailer` for the API's test mail; `run` is the task behind both."""

    def __init__(
        self,
        catalog: CatalogAccess,
        clock: Clock,
        *,
        station: Callable[[], str],
        recording: Recording,
        onvif: OnvifCameras,
        speaker: Speaker,
        snapshots: Snapshots,
    ) -> None:
        self.mailer = Mailer(catalog, clock, snapshots)
        self._pusher = Pusher()
        self._outputs = OutputSwitch(onvif, catalog, clock)
        self.runner = ActionRunner(
            {
                RecordAction: ClipRecorder(recording).perform,
                BookmarkAction: Bookmarker(catalog, clock).perform,
                MailAction: self.mailer.perform,
                HttpAction: perform_http,
                PushAction: self._pusher.perform,
                LiveAction: perform_live,
                SoundAction: Ringer(BoxBeeper(speaker)).perform,
                PresetAction: PresetCaller(onvif).perform,
                OutputAction: self._outputs.perform,
            },
            catalog,
            clock,
            station=station,
        )

    async def run(self) -> None:
        """Until cancelled; then what is pending has a short time."""
        await self.mailer.remember()
        with self._pusher:
            async with in_background(outputs=lambda: keep_running("outputs of cameras", self._outputs.run)):
                await self.runner.run()
