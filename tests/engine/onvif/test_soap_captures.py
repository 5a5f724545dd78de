"""Every SOAP reply of real cameras and servers that is at hand: a typed result, or an error with a name. None is skipped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from engine.onvif.fault import SoapFault
from engine.onvif.soap import SERVICES, Soap, parse_reply
from storage.errors import CameraError, CameraProtocolError, CameraUnsupported
from tests.fixtures_path import fixture_files, require_fixtures

FOLDERS = (
    "nvr/agsh_onvif_serverMockup",
    "nvr/easy_onvif_by_camera",
    "nvr/ex_onvif",
    "nvr/go2rtc_onvif",
    "nvr/scrypted_onvif",
)
FILES = [file for folder in FOLDERS for file in fixture_files(f"{folder}/**/*") if file.is_file()]
BY_NAMESPACE = {
    service["ns"]: name
    for name, service in SERVICES.items()
    if name not in ("pullpoint", "notification", "subscription")
}
NOT_OURS = {
    "http://www.onvif.org/ver20/media/wsdl": "Media2: the library has no WSDL of it, and nothing here asks it",
}


@pytest.fixture(scope="module")
def soap() -> Soap:
    return Soap()


def read(soap: Soap, path: Path) -> str:
    """What became of a file, in a word."""
    content = path.read_bytes()
    try:
        envelope = parse_reply(content, path.name)
    except CameraError as error:
        return type(error).__name__
    body = envelope.find("{*}Body")
    if body is None or not len(body):
        # Not well-formed: undeclared prefixes, tags that do not match, or nothing inside.
        with pytest.raises((CameraProtocolError, SoapFault)):
            soap.read("devicemgmt", "GetHostname", content, path.name)
        return "no body"
    name = etree.QName(body[0])
    if name.localname == "Fault":
        with pytest.raises(SoapFault) as caught:
            soap.read("devicemgmt", "GetHostname", content, path.name)
        assert caught.value.codes
        return "fault"
    if name.namespace in NOT_OURS:
        return "not ours"
    if name.localname == "PullMessagesResponse":
        assert soap.read_pull(content, path.name).notifications
        return "typed"
    operation = name.localname.removesuffix("Response")
    service = BY_NAMESPACE[name.namespace or ""]
    try:
        soap.read(service, operation, content, path.name)
    except CameraProtocolError:
        return "CameraProtocolError"
    return "typed"


def test_the_captures_are_here() -> None:
    for folder in FOLDERS:
        require_fixtures(folder)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_reply_is_typed_or_an_error_with_a_name(path: Path, soap: Soap) -> None:
    assert read(soap, path) in (
        "typed",
        "fault",
        "no body",
        "not ours",
        CameraProtocolError.__name__,
        CameraUnsupported.__name__,
    )


def test_nearly_all_of_them_are_typed(soap: Soap) -> None:
    require_fixtures(FOLDERS[1])
    counts = Counter(read(soap, path) for path in FILES)
    assert counts["typed"] >= 250, counts
