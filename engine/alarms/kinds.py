"""Everything an alarm rule can be triggered by, in the order of the picker. Pure: the words of docs/events.md, with titles.

A kind stands for all below it: `detection` for `detection.motion` too. What people do (`camera.edited`, `lock.added`) triggers
nothing: it is in the log. Manual rows AT-01, AT-02, AT-07, AT-10, AT-11, AT-13, AT-17, AT-18.
"""

from __future__ import annotations

from engine.wire_alarm_rules import TriggerFamily, TriggerKind

TCP_MESSAGE = "external.tcp_message"
WEBHOOK = "external.webhook"
VIRTUAL = "external.virtual"
RECORDING_STOPPED = "recording.stopped"
_ON_CAMERA = "set it up on the camera first; its ONVIF events must be on for this camera"
_MOTION = "needs motion detection here (`camera analytics`), or the camera's own by ONVIF"
_TCP = "needs a port for messages in the alarm settings; off until then"
_WEBHOOK = "needs a port and a token for webhooks in the alarm settings; off until then"
_SENSORS = "needs sensors: IPMI or hwmon"


def _camera(kind: str, title: str, hint: str = "", *, can_record: bool = True) -> TriggerKind:
    return TriggerKind(
        kind=kind,
        family=TriggerFamily.CAMERA,
        title=title,
        source="camera",
        hint=hint,
        can_record=can_record,
    )


def _analytics(kind: str, title: str) -> TriggerKind:
    return TriggerKind(
        kind=kind, family=TriggerFamily.ANALYTICS, title=title, source="camera", hint=_ON_CAMERA
    )


def _station(kind: str, title: str, source: str = "", hint: str = "") -> TriggerKind:
    return TriggerKind(kind=kind, family=TriggerFamily.STATION, title=title, source=source, hint=hint)


def _storage(kind: str, title: str, source: str) -> TriggerKind:
    return TriggerKind(kind=kind, family=TriggerFamily.STORAGE, title=title, source=source)


def _external(kind: str, title: str, source: str, hint: str, *, takes_text: bool = True) -> TriggerKind:
    return TriggerKind(
        kind=kind,
        family=TriggerFamily.EXTERNAL,
        title=title,
        source=source,
        hint=hint,
        takes_text=takes_text,
    )


TRIGGER_KINDS: tuple[TriggerKind, ...] = (
    # -- cameras: AT-01, and what their connection does -----------------------------------------------------
    _camera("detection.motion", "Motion detection", _MOTION),
    _camera("detection.tampering", "Tampering detection", _ON_CAMERA),
    _camera("detection.audio", "Audio detection", _ON_CAMERA),
    _camera("detection.digital_input", "Camera DI", _ON_CAMERA),
    _camera("detection.digital_output", "Camera DO", _ON_CAMERA),
    _camera("detection.pir", "PIR", _ON_CAMERA),
    _camera("detection.ir", "IR", _ON_CAMERA),
    _camera("detection.temperature", "Temperature", _ON_CAMERA),
    _camera("detection.shock", "Shock detection", _ON_CAMERA),
    _camera("detection.sd_card", "SD card life expectancy", _ON_CAMERA),
    _camera("detection.video_loss", "Video loss", _ON_CAMERA),
    _camera(RECORDING_STOPPED, "Stop recording", can_record=False),
    _camera("recording.failing", "Recording error"),
    _camera("recording.whole", "Recording without error again"),
    _camera("recording.resumed", "Recording again"),
    _camera("camera.lost", "Camera lost"),
    _camera("camera.refused", "Camera refuses"),
    _camera("camera.back", "Camera back"),
    _camera("onvif.lost", "Camera does not tell its events"),
    _camera("onvif.refused", "Camera refuses to tell its events"),
    _camera("onvif.back", "Camera tells its events again"),
    _camera("detection", "Anything a camera detects", _ON_CAMERA),
    # -- video content analysis: AT-02 ----------------------------------------------------------------------
    _analytics("detection.line_crossing", "Line crossing"),
    _analytics("detection.intrusion", "Intrusion"),
    _analytics("detection.loitering", "Loitering"),
    _analytics("detection.face", "Face"),
    _analytics("detection.missing_object", "Missing object"),
    _analytics("detection.unattended_object", "Unattended object"),
    _analytics("detection.crowd", "Crowd"),
    _analytics("detection.smart_tracking", "Smart tracking"),
    _analytics("detection.zone", "Zone"),
    _analytics("detection.people_running", "People running"),
    _analytics("detection.parking_violation", "Parking violation"),
    _analytics("detection.restricted_zone", "Restricted zone"),
    _analytics("detection.other", "Another analytics event"),
    # -- the station: AT-03, AT-07, DA-05, HM-06 ------------------------------------------------------------
    _station("network.link_down", "Network disconnected", "link"),
    _station("network.link_up", "Network connected", "link"),
    _station("network.failover", "Network failover", "link"),
    _station("fan", "Fan status, any", "sensor", _SENSORS),
    _station("fan.failed", "Fan failed", "sensor", _SENSORS),
    _station("fan.warning", "Fan warning", "sensor", _SENSORS),
    _station("power", "Power supply, any", "sensor", _SENSORS),
    _station("power.failed", "Power supply failed", "sensor", _SENSORS),
    _station("power.warning", "Power supply warning", "sensor", _SENSORS),
    _station("temperature", "Temperature of the box, any", "sensor", _SENSORS),
    _station("temperature.high", "Temperature high", "sensor", _SENSORS),
    _station("temperature.critical", "Temperature critical", "sensor", _SENSORS),
    _station("voltage.failed", "Voltage failed", "sensor", _SENSORS),
    _station("voltage.warning", "Voltage warning", "sensor", _SENSORS),
    _station("intrusion.detected", "Lid opened", "sensor", _SENSORS),
    _station("chassis.problem", "A part of the box does not work"),
    _station("station.cpu_high", "CPU over 90 %"),
    _station("station.cpu_ok", "CPU in order again"),
    _station("station.memory_high", "Memory over 90 %"),
    _station("station.memory_ok", "Memory in order again"),
    _station("station.network_high", "Network over 90 %", "link"),
    _station("station.network_ok", "Network in order again", "link"),
    _station("clock.stepped", "Clock stepped"),
    _station("engine.started", "Engine started"),
    _station("engine.stopped", "Engine stopped in order"),
    _station("engine.crashed", "Engine started after a crash"),
    _station("login", "Login trouble, any", "peer"),
    _station("login.refused", "Login refused", "peer"),
    _station("login.brute_force", "Login: many failures", "peer"),
    _station("job.alarm", "Job: act at once"),
    _station("job.waiting", "Job waits for a person"),
    _station("job.failed", "Job failed"),
    _station("operation.failed", "Operation failed"),
    # -- volumes, drives, arrays: AT-07, AT-17 --------------------------------------------------------------
    _storage("volume.full", "Storage full", "volume"),
    _storage("volume.failed", "Storage failure: input/output errors", "volume"),
    _storage("volume.missing", "Volume missing", "volume"),
    _storage("volume.mismatch", "Another volume is mounted", "volume"),
    _storage("volume.read_only", "Volume read-only", "volume"),
    _storage("volume.stalled", "Volume does not answer", "volume"),
    _storage("volume.back", "Volume in order again", "volume"),
    _storage("retention.short", "Retention shortfall", "group"),
    _storage("retention.ok", "Retention in order again", "group"),
    _storage("virtual_drive.partially_degraded", "Virtual drive partially degraded", "virtual_drive"),
    _storage("virtual_drive.degraded", "Virtual drive degraded", "virtual_drive"),
    _storage("virtual_drive.failed", "Virtual drive failed", "virtual_drive"),
    _storage("virtual_drive.offline", "Virtual drive offline", "virtual_drive"),
    _storage("virtual_drive.mismatch", "Virtual drive: sectors do not match", "virtual_drive"),
    _storage("virtual_drive.online", "Virtual drive in order again", "virtual_drive"),
    _storage("drive", "Drive, anything", "bay"),
    _storage("drive.failed", "Drive failed", "bay"),
    _storage("drive.missing", "Drive missing", "bay"),
    _storage("drive.returned", "Drive is back", "bay"),
    _storage("drive.offline", "Drive offline", "bay"),
    _storage("drive.bad", "Drive cannot be used", "bay"),
    _storage("drive.foreign", "Drive of another array", "bay"),
    _storage("drive.predicted_failure", "Drive expects to fail", "bay"),
    _storage("drive.health_warning", "Drive: error counts grow", "bay"),
    _storage("drive.health_ok", "Drive in good health again", "bay"),
    _storage("drive.media_errors", "Drive: unreadable sectors", "bay"),
    _storage("drive.notice", "Drive: the kernel says something", "bay"),
    _storage("drive.self_test_failed", "Drive: self-test failed", "bay"),
    _storage("drive.temperature_high", "Drive too warm", "bay"),
    _storage("drive.temperature_critical", "Drive much too warm", "bay"),
    _storage("drive.inserted", "Drive inserted", "bay"),
    _storage("drive.removed", "Drive removed", "bay"),
    _storage("spare.removed", "Hot spare removed", "bay"),
    _storage("spare.failed", "Hot spare failed", "bay"),
    _storage("spare.silent", "Hot spare does not answer", "bay"),
    _storage("spare.took_over", "Hot spare took over", "bay"),
    _storage("rebuild.automatic", "Rebuild began by itself", "virtual_drive"),
    _storage("rebuild.not_started", "Rebuild not started", "virtual_drive"),
    _storage("task.started", "Rebuild, check or copy began", "virtual_drive"),
    _storage("task.finished", "Rebuild, check or copy finished", "virtual_drive"),
    _storage("task.failed", "Rebuild or copy failed", "virtual_drive"),
    _storage("task.stopped", "Rebuild, check or copy stopped", "virtual_drive"),
    _storage("upkeep.postponed", "Upkeep postponed", "virtual_drive"),
    # -- from outside: AT-10, AT-11, AT-13 ------------------------------------------------------------------
    _external(TCP_MESSAGE, "TCP message", "peer", _TCP),
    _external(WEBHOOK, "Webhook", "sender", _WEBHOOK),
    _external(VIRTUAL, "Virtual trigger", "button", "give the button a name", takes_text=False),
)

_BY_KIND = {kind.kind: kind for kind in TRIGGER_KINDS}
_PARENTS = frozenset(
    kind.rsplit(".", depth)[0] for kind in _BY_KIND for depth in range(1, kind.count(".") + 1)
)


def is_known(kind: str) -> bool:
    """It is in the picker, or stands for something that is."""
    return kind in _BY_KIND or kind in _PARENTS


def trigger_kind(kind: str) -> TriggerKind | None:
    """Its entry in the picker; None for one that only stands for others."""
    return _BY_KIND.get(kind)


def covers(kind: str, other: str) -> bool:
    """`kind` is `other` or stands for it."""
    return kind == other or other.startswith(f"{kind}.")


def can_record(kind: str) -> bool:
    """AA-02, rule 18: whether `Start to record video` may follow; not where `recording.stopped` may be among what is meant."""
    return not covers(kind, RECORDING_STOPPED)


def source_kind(kind: str) -> str:
    """What its sources are; of one that stands for several, what all of them have, else ''."""
    known = _BY_KIND.get(kind)
    if known is not None:
        return known.source
    found = {entry.source for entry in TRIGGER_KINDS if covers(kind, entry.kind)}
    return found.pop() if len(found) == 1 else ""


def title_of(kind: str) -> str:
    """For people; the kind itself when it has none."""
    known = _BY_KIND.get(kind)
    return kind if known is None else known.title
