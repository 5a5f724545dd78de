"""What cameras' topics mean, by the spellings of real ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms.kinds import TRIGGER_KINDS
from engine.onvif.notification import Notification, PropertyOperation
from engine.onvif.topics import TOPIC_CHARS, flags_of, meaning_of, text_of

KNOWN = {kind.kind for kind in TRIGGER_KINDS}


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        # ONVIF's own
        ("tns1:RuleEngine/CellMotionDetector/Motion", "motion"),
        ("tns1:RuleEngine/MotionRegionDetector/Motion", "motion"),
        ("tns1:VideoSource/MotionAlarm", "motion"),
        ("tns1:VideoAnalytics/Motion", "motion"),
        ("tns1:RuleEngine/TamperDetector/Tamper", "tampering"),
        ("tns1:VideoSource/GlobalSceneChange/AnalyticsService", "tampering"),
        ("tns1:VideoSource/GlobalSceneChange/ImagingService", "tampering"),
        ("tns1:VideoSource/ImageTooDark/ImagingService", "tampering"),
        ("tns1:VideoSource/ImageTooBright/AnalyticsService", "tampering"),
        ("tns1:VideoSource/ImageTooBlurry/RecordingService", "tampering"),
        ("tns1:VideoSource/SignalLoss", "video_loss"),
        ("tns1:Device/Trigger/DigitalInput", "digital_input"),
        ("tns1:Device/Trigger/Relay", "digital_output"),
        ("tns1:RuleEngine/LineDetector/Crossed", "line_crossing"),
        ("tns1:RuleEngine/FieldDetector/ObjectsInside", "intrusion"),
        ("tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering", "loitering"),
        ("tns1:RuleEngine/Recognition/Face", "face"),
        ("tns1:AudioAnalytics/Audio/DetectedSound", "audio"),
        ("tns1:Device/HardwareFailure/StorageFailure", "sd_card"),
        ("tns1:Device/HardwareFailure/TemperatureCritical", "temperature"),
        ("tns1:RuleEngine/ObjectDetection/Object", "other"),
        # Hikvision
        ("tns1:Device/Trigger/tnshik:AlarmIn", "digital_input"),
        # Dahua
        ("tns1:UserAlarm/IVA/HumanShapeDetect", "other"),
        ("tns1:RuleEngine/CrossRegionDetection", "intrusion"),
        ("tns1:RuleEngine/LeftDetection", "unattended_object"),
        ("tns1:RuleEngine/TakenAwayDetection", "missing_object"),
        # TP-Link
        ("tns1:RuleEngine/PeopleDetector/People", "other"),
        ("tns1:RuleEngine/LineCrossDetector/LineCross", "line_crossing"),
        ("tns1:RuleEngine/CellMotionDetector/LineCross", "line_crossing"),
        ("tns1:RuleEngine/IntrusionDetector/Intrusion", "intrusion"),
        ("tns1:RuleEngine/CellMotionDetector/Tamper", "tampering"),
        # Reolink
        ("tns1:RuleEngine/MyRuleDetector/FaceDetect", "face"),
        ("tns1:RuleEngine/MyRuleDetector/PeopleDetect", "other"),
        ("tns1:RuleEngine/MyRuleDetector/VehicleDetect", "other"),
        ("tns1:RuleEngine/MyRuleDetector/DogCatDetect", "other"),
        ("tns1:RuleEngine/MyRuleDetector/Package", "other"),
        ("tns1:RuleEngine/MyRuleDetector/Visitor", "other"),
        # Axis
        ("tnsaxis:CameraApplicationPlatform/VMD/Camera1Profile1", "motion"),
        ("tnsaxis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1", "other"),
        ("tns1:VideoSource/tnsaxis:Tampering", "tampering"),
        ("tns1:Device/tnsaxis:Sensor/PIR", "pir"),
        ("tns1:Device/tnsaxis:IO/Port", "digital_input"),
        ("tns1:AudioSource/tnsaxis:TriggerLevel", "audio"),
        # Ajax, Hanwha
        ("tns1:RuleEngine/tnsajax:LineDetector/Crossing", "line_crossing"),
        ("tns1:RuleEngine/tnsajax:MotionDetector/Detection", "motion"),
        ("tns1:VideoAnalytics/tnssamsung:MotionDetection", "motion"),
        # nobody's
        ("tns1:Device/HardwareFailure/FanFailure", "other"),
        ("tns1:Vendor/Whatever", "other"),
    ],
)  # fmt: skip
def test_a_topic_is_one_of_our_kinds(topic: str, kind: str) -> None:
    meaning = meaning_of(topic)
    assert meaning is not None
    assert meaning.kind == f"detection.{kind}"


@pytest.mark.parametrize(
    "topic",
    [
        "tns1:Monitoring/ProcessorUsage",
        "tns1:Monitoring/OperatingTime/LastClockSynchronization",
        "tns1:Device/tnsaxis:Status/SystemReady",
        "tns1:Media/ProfileChanged",
        "tns1:RecordingConfig/JobState",
        "tns1:RuleEngine/CountAggregation/Counter",
        "",
        "//",
    ],
)
def test_a_topic_that_calls_nobody_is_nothing(topic: str) -> None:
    assert meaning_of(topic) is None


def told(topic: str, **data: str) -> dict[str, bool | None]:
    """Kind and words of every flag, and where it stands."""
    notification = Notification(
        topic, PropertyOperation.CHANGED, source=(("Rule", "r"),), data=tuple(data.items())
    )
    return {text_of(flag, topic): flag.is_on for flag in flags_of(notification)}


def test_one_topic_with_a_flag_for_each_kind_of_object_has_a_state_for_each() -> None:
    flags = flags_of(
        Notification(
            "tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent",
            data=(("IsPeople", "true"), ("IsPet", "false"), ("IsLineCross", "true"), ("IsTamper", "false")),
        )
    )
    assert [(flag.meaning.kind, flag.meaning.words, flag.is_on) for flag in flags] == [
        ("detection.other", "person", True),
        ("detection.other", "animal", False),
        ("detection.line_crossing", "line crossed", True),
        ("detection.tampering", "tampering", False),
    ]
    assert len({flag.key for flag in flags}) == 4


def test_the_classes_of_an_object_detector_are_states_of_their_own() -> None:
    topic = "tns1:RuleEngine/ObjectDetection/Object"
    assert told(topic, ClassTypes="Human Vehical") == {
        "Animal (rule r)": False,
        "Person (rule r)": True,
        "Vehicle (rule r)": True,
        "Object (rule r)": False,
    }
    assert set(told(topic, ClassTypes="").values()) == {False}
    assert told(topic, ClassTypes="LicensePlate")["Object (rule r)"] is True


@pytest.mark.parametrize(
    ("value", "is_on"),
    [("true", True), ("TRUE", True), ("1", True), ("active", True), ("on", True), ("false", False), ("0", False),
     ("inactive", False), (" false ", False)],
)  # fmt: skip
def test_every_spelling_of_on_and_off_is_understood(value: str, is_on: bool) -> None:
    assert told("tns1:Device/Trigger/DigitalInput", LogicalState=value) == {"Input (rule r)": is_on}


def test_ids_and_counts_are_no_states() -> None:
    assert told("tns1:RuleEngine/FieldDetector/ObjectsInside", ObjectId="1", Count="0") == {}
    assert told("tns1:Vendor/Thing", Speed="1") == {}


def test_a_topic_nobody_knows_is_told_by_its_name_when_it_has_a_state() -> None:
    assert told("tns1:Vendor/Thing", Ready="true") == {
        "Reported by the camera: tns1:Vendor/Thing (rule r)": True
    }


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=30), st.text(max_size=300))
def test_whatever_a_camera_says_has_a_kind_we_know_and_a_short_printable_text(
    topic: str, rule: str, name: str, value: str
) -> None:
    for flag in flags_of(
        Notification(topic, source=(("Rule", rule),), data=((name, value), ("State", "true")))
    ):
        assert flag.meaning.kind in KNOWN
        text = text_of(flag, topic)
        assert text.isprintable()
        assert len(text) <= 2 * TOPIC_CHARS + 60
