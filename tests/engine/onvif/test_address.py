"""Where a camera is asked: never another host than the one dialled, whatever it announces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.onvif.address import device_url, parse_service_url, reachable
from storage.errors import InvalidInput


@pytest.mark.parametrize(
    ("stream", "given_url", "wanted"),
    [
        ("rtsp://10.0.0.9:554/a", "", "http://10.0.0.9/onvif/device_service"),
        ("rtsp://[fd00::9]/a", "", "http://[fd00::9]/onvif/device_service"),
        ("rtsps://cam.example/a?p={password}", "", "http://cam.example/onvif/device_service"),
        ("rtsp://10.0.0.9/a", "http://10.0.0.9:8080", "http://10.0.0.9:8080/onvif/device_service"),
        ("rtsp://10.0.0.9/a", "https://10.0.0.9/x/y?z=1", "https://10.0.0.9/x/y?z=1"),
    ],
)
def test_the_device_service_is_where_it_was_given_or_on_the_streams_host(
    stream: str, given_url: str, wanted: str
) -> None:
    assert device_url(stream, given_url).text == wanted


@pytest.mark.parametrize(
    "text", ["", "ftp://a/b", "http:///x", "http://a:99999/", "http://u:p@a/x", "http://a:0/", "http://[::1/"]
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_service_url(text)
    assert "u:p" not in str(caught.value)


def test_a_stream_without_a_host_needs_an_address() -> None:
    with pytest.raises(InvalidInput):
        device_url("file:///x", "")


@pytest.mark.parametrize(
    ("announced", "dialled", "wanted"),
    [
        ("http://10.0.0.9/onvif/events", "http://10.0.0.9/d", "http://10.0.0.9/onvif/events"),
        ("http://10.0.0.9:8106/e?Idx=3", "http://10.0.0.9/d", "http://10.0.0.9:8106/e?Idx=3"),
        ("http://10.0.0.9:8106:8106/e", "http://10.0.0.9/d", "http://10.0.0.9:8106/e"),
        ("http://0.0.0.0/e", "http://10.0.0.9:8080/d", "http://10.0.0.9:8080/e"),
        ("http://192.168.1.5/e", "http://203.0.113.7:8080/d", "http://203.0.113.7:8080/e"),
        ("http://evil.example/e", "https://10.0.0.9/d", "https://10.0.0.9/e"),
        ("http://10.0.0.9/e", "https://10.0.0.9/d", "https://10.0.0.9/e"),
        ("https://10.0.0.9:444/e", "https://10.0.0.9/d", "https://10.0.0.9:444/e"),
        ("/onvif/e", "http://10.0.0.9:81/d", "http://10.0.0.9:81/onvif/e"),
    ],
)  # fmt: skip
def test_the_announced_path_is_asked_on_the_host_that_was_dialled(
    announced: str, dialled: str, wanted: str
) -> None:
    assert reachable(announced, parse_service_url(dialled)).text == wanted


@given(st.text(max_size=60) | st.builds("http://{}/{}".format, st.text(max_size=20), st.text(max_size=20)))
def test_no_announcement_leads_to_another_host(announced: str) -> None:
    try:
        url = reachable(announced, parse_service_url("http://10.0.0.9/d"))
    except InvalidInput:
        return
    assert url.host == "10.0.0.9"
