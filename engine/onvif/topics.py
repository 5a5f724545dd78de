"""What cameras' topics mean: ONVIF's own and the vendors' spellings, as event kinds of Watchdeck. Pure.

ONVIF Core appendix A and the Analytics and Imaging specifications name some; each vendor adds its own, and some send one topic
with a flag for each kind of object. What is not known is `detection.other`, if it carries a flag that is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.onvif.notification import Notification

TOPIC_CHARS = 200
"""Of a topic, rule or token in an event's text: the camera chooses how long they are."""

_TRUE = frozenset({"true", "1", "active", "on", "yes"})
_FALSE = frozenset({"false", "0", "inactive", "off", "no"})
_PLAIN = frozenset({"true", "false"})
_FLAG_NAME = re.compile(r"^(is[a-z].*|state|logicalstate|logicstate|active|alarm|triggered)$", re.IGNORECASE)
"""Items whose 0 and 1 mean off and on; elsewhere they are ids and counts."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a topic, or one flag in it, says."""

    kind: str
    words: str
    is_pulse: bool = False
    """Each message is a happening of its own: the topic has no state."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One state in a message: what it is of, where it stands, and what it means. `is_on` None: a happening without state."""

    key: tuple[str, ...]
    is_on: bool | None
    meaning: Meaning
    detail: str


def _is(kind: str, words: str, *, is_pulse: bool = False) -> Meaning:
    return Meaning(f"detection.{kind}", words, is_pulse)


_MOTION = _is("motion", "motion")
_TAMPERING = _is("tampering", "tampering")
_PERSON = _is("other", "person")
_VEHICLE = _is("other", "vehicle")
_ANIMAL = _is("other", "animal")
OTHER = _is("other", "reported by the camera")
"""A topic nobody knows."""
_INPUT = _is("digital_input", "input")
_OUTPUT = _is("digital_output", "output")
_LINE = _is("line_crossing", "line crossed", is_pulse=True)
_INTRUSION = _is("intrusion", "intrusion")
_MISSING = _is("missing_object", "object taken away")
_LEFT = _is("unattended_object", "object left behind")
_AUDIO = _is("audio", "sound")

_SILENT = re.compile(
    r"^(Monitoring|Configuration|Media|RecordingConfig|RecordingHistory|TrackConfig|Advancedsecurity|Profile|PTZController|"
    r"LightControl|Network|UserProfile|LicensePlateRecognition/Configuration|VideoEncoder|Device/(Status|OperationMode|Network|"
    r"LifeCycle|SystemMessage|Light|RingPowerLimitExceeded)|"
    r"AudioControl|Storage/Recording|Schedule|MQTT|RuleEngine/CountAggregation|RuleEngine/Radiometry)(/|$)",
    re.IGNORECASE,
)
"""States that call nobody: clocks, profiles, heaters, uptime, counts."""

_MEANINGS: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        # -- inputs, outputs and sensors of the box
        (r"^Device/(Trigger/(DigitalInput|AlarmIn)|IO/(Input|Port|VirtualInput|VirtualPort|SupervisedPort))", _INPUT),
        (r"^Device/(Trigger/(Relay|AlarmOut)|IO/(Output|OutputPort))|^Device/Relay", _OUTPUT),
        (r"^Device/Sensor/PIR|(^|/)PIR(Sensor|Detect\w*|Alarm)?($|/)", _is("pir", "passive infrared sensor")),
        (r"^Device/(HardwareFailure/)?StorageFailure|(SD|Storage)(Card)?(Failure|Error|Disruption|Full|Alert)",
         _is("sd_card", "memory card trouble")),
        (r"TemperatureCritical|Temperature(Alarm|Detector|High|Low|OutOfRange)|^Device/Sensor/Temperature",
         _is("temperature", "temperature")),
        (r"Shock(Detect\w*)?($|/)|^Device/CasingOpen", _is("shock", "shock")),
        # -- the picture as a whole
        (r"(Video|Signal)Loss|VideoSource/SignalLost|^VideoSource/ConnectionFailed", _is("video_loss", "no video signal")),
        (r"^VideoSource/(GlobalSceneChange|ImageTooDark|ImageTooBlurry|ImageTooBright)|Tamper|SceneChange|ShelterAlarm|"
         r"(Image|Video)(TooDark|TooBlurry|TooBright|Blind)|(Defocus|Hideout|CameraMasking|CameraMoved)", _TAMPERING),
        # -- sound
        (r"AudioAnalytics|^AudioSource/(?!.*Config)|Sound(Detect\w*|Classif\w*)|Audio(Detect\w*|Anomaly|Exception|Alarm)|"
         r"Detected(Sound|Audio)|TriggerLevel", _AUDIO),
        # -- rules
        (r"(CountingLine|PassengerCount|ObjectCount|Counter)", _is("", "")),
        (r"LineDetector|Line(Cross\w*|Counter)|CrossLine|Tripwire|(^|/)(IVA|VCA)/CrossLine", _LINE),
        (r"Loiter", _is("loitering", "loitering")),
        (r"Crowd|OverCrowd|Gathering|Rodensity|QueueDetect", _is("crowd", "crowd")),
        (r"RestrictedZone|NoEntry|Unauthori[sz]edArea", _is("restricted_zone", "restricted zone entered")),
        (r"FieldDetector|Intrusion|Intruder|CrossRegion|CrossRegionDetection|(Enter|Exit|Leave)(ing)?(Region|Area)|RegionEntrance|"
         r"RegionExiting|ObjectsInside", _INTRUSION),
        (r"Running|FastMov", _is("people_running", "somebody runs")),
        (r"Parking", _is("parking_violation", "vehicle parked where none may")),
        (r"(Missing|Taken|Removed|Lost)(Object)?(Detector|Detection|$|/)|ObjectRemoval|TakenAway|ObjectTaken|"
         r"MissingDetection|AssetProtection", _MISSING),
        (r"Abandoned|Unattended|LeftDetection|ObjectLeft|LeftObject|LeftBehind|LeftBaggage", _LEFT),
        (r"Face", _is("face", "face")),
        (r"SmartTrack|AutoTrack|SmartMotionTracking", _is("smart_tracking", "smart tracking")),
        (r"(^|/)Zone(Detect\w*)?($|/)", _is("zone", "zone")),
        (r"HumanShape|People(Detect\w*)?($|/)|Person|Human(Detect\w*)?($|/)|Pedestrian", _PERSON),
        (r"Vehicle|CarDetect", _VEHICLE),
        (r"DogCat|Animal|Pet(Detect\w*)?($|/)", _ANIMAL),
        (r"Package", _is("other", "parcel")),
        (r"Visitor|DoorBell", _is("other", "visitor at the door")),
        # -- motion last: many of the above have it in their names
        (r"Motion|VMD|MotionAlarm|MoveDetect", _MOTION),
    )
)  # fmt: skip

_BY_ITEM: dict[str, Meaning] = {
    "ismotion": _MOTION,
    "istamper": _TAMPERING,
    "isperson": _PERSON,
    "ispeople": _PERSON,
    "ishuman": _PERSON,
    "isvehicle": _VEHICLE,
    "ispet": _ANIMAL,
    "isanimal": _ANIMAL,
    "islinecross": _is("line_crossing", "line crossed"),
    "isintrusion": _INTRUSION,
    "issounddetected": _AUDIO,
    "isface": _is("face", "face"),
}
"""For topics that carry several: TP-Link's TPSmartEvent."""

_CLASSES = {
    **dict.fromkeys(("human", "person", "people", "pedestrian"), "person"),
    **dict.fromkeys(
        ("vehicle", "vehical", "car", "bus", "truck", "bicycle", "motorcycle", "bike"), "vehicle"
    ),
    **dict.fromkeys(("animal", "pet", "dog", "cat"), "animal"),
}
"""tt:ObjectType and spellings seen; `Vehical` is ONVIF's own."""

_RULE_NAMES = frozenset({"rule", "rulename"})


def bare_topic(topic: str) -> str:
    """Without namespace prefixes, and without the `//.` some put at the end."""
    return "/".join(part.rpartition(":")[2] for part in topic.strip().strip("/.").split("/") if part.strip())


def meaning_of(topic: str) -> Meaning | None:
    """Of a topic as sent; None when it is nothing a person is called for, `detection.other` when it is not known."""
    bare = bare_topic(topic)
    if not bare or _SILENT.search(bare):
        return None
    found = next((meaning for pattern, meaning in _MEANINGS if pattern.search(bare)), OTHER)
    return found if found.words else None


def flags_of(notification: Notification) -> list[Flag]:
    """The states (and the happenings) in a message, each with a key of its own by topic, source, rule and item."""
    meaning = meaning_of(notification.topic)
    if meaning is None:
        return []
    about = (notification.topic, *(value for _, value in (*notification.source, *notification.key)))
    detail = _detail(notification)
    found = []
    for name, value in notification.data:
        if name.lower() == "classtypes":
            found += [
                Flag((*about, words), is_on, _is("other", words), detail) for words, is_on in _classes(value)
            ]
            continue
        is_on = _flag(name, value)
        if is_on is None:
            continue
        meant = _BY_ITEM.get(name.lower(), meaning) if meaning in (OTHER, _MOTION) else meaning
        found.append(Flag((*about, name), is_on, meant, detail))
    if not found and meaning.is_pulse:
        found.append(Flag(about, None, meaning, detail))
    return found


def text_of(flag: Flag, topic: str) -> str:
    """For the event: what, where in the camera, and the topic when its meaning is not known."""
    told = flag.meaning.words[:1].upper() + flag.meaning.words[1:]
    if flag.meaning is OTHER:
        told = f"{told}: {_short(topic)}"
    return f"{told} ({flag.detail})" if flag.detail else told


def _classes(value: str) -> list[tuple[str, bool]]:
    """Of ONVIF's object detection (Analytics, appendix on ObjectDetection): the classes in view now, none when it is empty."""
    seen = {_CLASSES.get(part.lower(), part.lower()) for part in value.replace(",", " ").split()}
    known = sorted(set(_CLASSES.values()))
    return [(words, words in seen) for words in known] + [("object", bool(seen - set(known)))]


def _flag(name: str, value: str) -> bool | None:
    told = value.strip().lower()
    if told in _PLAIN:
        return told == "true"
    if not _FLAG_NAME.match(name):
        return None
    if told in _TRUE:
        return True
    return False if told in _FALSE else None


def _detail(notification: Notification) -> str:
    """The rule's name, else the token of what it is about: an input, a sound source."""
    for name, value in notification.source:
        if name.lower() in _RULE_NAMES and value:
            return f"rule {_short(value)}"
    tokens = [value for _, value in notification.source if value]
    return _short(tokens[0]) if tokens else ""


def _short(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable if len(printable) <= TOPIC_CHARS else printable[: TOPIC_CHARS - 1] + "…"
