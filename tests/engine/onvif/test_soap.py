"""SOAP that is written and read: tokens in the camera's time, and whatever a hostile or broken thing at the other end may send."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from engine.onvif.fault import SoapFault, as_error
from engine.onvif.notification import PropertyOperation
from engine.onvif.soap import Soap, SubscriptionReply, Token, parse_reply, parse_time_us
from storage.errors import CameraError, CameraProtocolError, CameraRefused, CameraUnsupported
from tests.fakes.onvif_camera import envelope, fault, message

SOAP = Soap()
EMPTY_PULL = envelope("<tev:PullMessagesResponse/>")


def test_a_token_is_digested_with_the_time_it_was_given_in_zulu() -> None:
    created_us = 1_514_736_012_345_678  # 2017-12-31T16:00:12Z
    body, headers = SOAP.request(
        "events",
        "CreatePullPointSubscription",
        "http://cam/e",
        {"InitialTerminationTime": "PT120S"},
        token=Token("ada", "pä", created_us),
    )
    root = etree.fromstring(body)
    found = {etree.QName(part).localname: part.text or "" for part in root.iterfind(".//{*}UsernameToken/*")}
    assert found["Created"] == "2017-12-31T16:00:12Z"
    nonce = base64.b64decode(found["Nonce"])
    digest = hashlib.sha1(nonce + b"2017-12-31T16:00:12Z" + "pä".encode()).digest()
    assert found["Password"] == base64.b64encode(digest).decode()
    assert "pä" not in body.decode()
    assert root.findtext(".//{*}To") == "http://cam/e"
    assert headers["Content-Type"].startswith("application/soap+xml")


def test_two_tokens_never_share_a_nonce() -> None:
    nonces = {
        etree.fromstring(
            SOAP.request("subscription", "Unsubscribe", "http://cam/e", {}, token=Token("a", "b", 0))[0]
        ).findtext(".//{*}Nonce")
        for _ in range(20)
    }
    assert len(nonces) == 20


def test_reference_parameters_are_repeated_in_the_header() -> None:
    reply = SOAP.read_subscription(
        envelope(
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>http://cam/e</wsa:Address>"
            '<wsa:ReferenceParameters><d:SubscriptionId xmlns:d="http://www.axis.com/2009/event">19</d:SubscriptionId>'
            "</wsa:ReferenceParameters></tev:SubscriptionReference></tev:CreatePullPointSubscriptionResponse>"
        ),
        "cam",
    )
    body, _ = SOAP.request("subscription", "Unsubscribe", "http://cam/e", {}, references=reply.references)
    header = etree.fromstring(body).find("{*}Header")
    assert header is not None
    repeated = header.find("{http://www.axis.com/2009/event}SubscriptionId")
    assert repeated is not None
    assert repeated.text == "19"
    assert repeated.get("{http://www.w3.org/2005/08/addressing}IsReferenceParameter") == "true"


def test_what_is_granted_is_the_difference_of_the_cameras_own_times() -> None:
    def granted(now: str, end: str) -> float | None:
        return SOAP.read_subscription(
            envelope(
                "<wsnt:RenewResponse>"
                f"<wsnt:TerminationTime>{end}</wsnt:TerminationTime><wsnt:CurrentTime>{now}</wsnt:CurrentTime></wsnt:RenewResponse>"
            ),
            "cam",
        ).granted_s

    assert granted("2017-12-31T16:00:12Z", "2017-12-31T16:02:12Z") == 120
    assert granted("2026-01-01T00:00:00", "2026-01-01T00:00:10.5Z") == 10.5
    assert granted("2026-01-01T00:59:61Z", "2026-01-01T01:01:01Z") == 60
    assert granted("nonsense", "2026-01-01T00:00:00Z") is None
    assert SOAP.read_subscription(envelope("<wsnt:RenewResponse/>"), "cam") == SubscriptionReply("", None)


def test_one_message_that_cannot_be_read_costs_no_other() -> None:
    good = message("tns1:VideoSource/MotionAlarm", "Changed", {"Source": "0"}, {"State": "true"})
    vendor = (
        "<wsnt:NotificationMessage><wsnt:Topic>tns1:Vendor/Thing</wsnt:Topic><wsnt:Message><Odd xmlns=''>1</Odd>"
        "</wsnt:Message></wsnt:NotificationMessage>"
    )
    empty = "<wsnt:NotificationMessage><wsnt:Topic></wsnt:Topic><wsnt:Message></wsnt:Message></wsnt:NotificationMessage>"
    reply = SOAP.read_pull(
        envelope(f"<tev:PullMessagesResponse>{good}{vendor}{empty}{good}</tev:PullMessagesResponse>"), "cam"
    )
    assert [notification.topic for notification in reply.notifications] == [
        "tns1:VideoSource/MotionAlarm"
    ] * 2
    assert reply.unreadable == 1
    assert reply.notifications[0].operation is PropertyOperation.CHANGED
    assert reply.notifications[0].source == (("Source", "0"),)
    assert reply.notifications[0].data == (("State", "true"),)


# -- refusals ----------------------------------------------------------------------------------------------


def test_a_fault_tells_its_codes_and_reason() -> None:
    with pytest.raises(SoapFault) as caught:
        SOAP.read_pull(fault("ter:NotAuthorized", reason="Sender not\n authorized"), "cam", status=400)
    assert caught.value.codes == ("Sender", "NotAuthorized")
    assert caught.value.told == "NotAuthorized: Sender not authorized"
    assert isinstance(as_error(caught.value, "cam", "events"), CameraRefused)


def test_a_fault_of_soap_1_1_is_understood() -> None:
    old = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>ter:ActionNotSupported'
        b"</faultcode><faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    with pytest.raises(SoapFault) as caught:
        SOAP.read_pull(old, "cam", status=500)
    assert isinstance(as_error(caught.value, "cam", "events"), CameraUnsupported)


@pytest.mark.parametrize(
    ("content", "status", "error", "words"),
    [
        (b"", 200, CameraProtocolError, "nothing"),
        (b"", 401, CameraRefused, "user or password"),
        (b"<html><body>404 File Not Found</body></html>", 200, CameraUnsupported, "web page"),
        (b"<!DOCTYPE html><html></html>", 404, CameraUnsupported, "web page"),
        (b"not found", 404, CameraUnsupported, "no ONVIF service"),
        (b"\x00\xff\xfe garbage \x80", 200, CameraProtocolError, "no SOAP message"),
        (b"<a><b/></a>", 200, CameraProtocolError, "no SOAP message"),
        (EMPTY_PULL, 503, CameraProtocolError, "HTTP 503"),
        (envelope("<tds:GetHostnameResponse/>"), 200, CameraProtocolError, "PullMessages"),
        (b"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>", 200, CameraProtocolError, "no SOAP body"),
        (b"<a>" * 5_000, 200, CameraProtocolError, "no SOAP message"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_that_says_what_came(
    content: bytes, status: int, error: type[CameraError], words: str
) -> None:
    with pytest.raises(error) as caught:
        SOAP.read_pull(content, "10.0.0.9:80", status=status)
    assert words in caught.value.what
    assert "10.0.0.9:80" in caught.value.what


def laughs(levels: int = 9) -> bytes:
    entities = '<!ENTITY l0 "ha">' + "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, levels + 1)
    )
    return f'<?xml version="1.0"?><!DOCTYPE s [{entities}]>'.encode() + EMPTY_PULL.partition(b"?>")[
        2
    ].replace(b"/>", f">&l{levels};</tev:PullMessagesResponse>".encode())


def test_entities_are_never_expanded() -> None:
    with pytest.raises(CameraProtocolError, match="entities"):
        SOAP.read_pull(laughs(), "cam")


def test_entities_in_an_encoding_of_two_bytes_are_seen_too() -> None:
    hidden = laughs(2).decode().replace('version="1.0"', 'version="1.0" encoding="utf-16"').encode("utf-16")
    with pytest.raises(CameraError):
        SOAP.read_pull(hidden, "cam")


def test_an_external_entity_reads_no_file() -> None:
    secret = (
        b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><r>&x;</r></s:Body></s:Envelope>'
    )
    with pytest.raises(CameraProtocolError, match="entities"):
        SOAP.read("devicemgmt", "GetHostname", secret, "cam")


@given(st.binary(max_size=400))
def test_bytes_from_anywhere_end_in_a_named_error(content: bytes) -> None:
    with pytest.raises((CameraError, SoapFault)):
        SOAP.read_pull(content, "cam")


@given(st.integers(min_value=0, max_value=len(EMPTY_PULL) - 1), st.binary(min_size=1, max_size=6))
def test_a_reply_with_damage_in_it_is_read_or_a_named_error(at: int, damage: bytes) -> None:
    content = EMPTY_PULL[:at] + damage + EMPTY_PULL[at + len(damage) :]
    try:
        SOAP.read_pull(content, "cam")
        parse_reply(content, "cam")
    except (CameraError, SoapFault):
        pass
    # Anything else is a defect, and fails here.


@given(st.text(max_size=40))
def test_a_time_that_is_none_is_none(text: str) -> None:
    assert parse_time_us(text) is None or any(char.isdigit() for char in text)
