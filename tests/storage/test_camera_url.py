"""Passwords inside camera addresses are found, taken out, hidden and put back."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.camera_url import masked, split_secret, with_secret
from storage.catalog.names import checked_url
from storage.catalog.records import Camera
from storage.errors import InvalidInput
from storage.volumes.settings_copy import camera_copy

FORMS = (
    "http://h/video.cgi?user=a&pwd=S",
    "http://h/video.cgi?loginuse=a&loginpas=S&x=1",
    "rtsp://h/live?TOKEN=S",
    "rtsp://h/live;password=S/trackID=1",
    "rtsp://h/user=admin&password=S&channel=1",
    "rtsp://h/user=admin_password=S_channel=1_stream=0.sdp",
    "http://h/x?pass=S&token=S",
)


@pytest.mark.parametrize("form", FORMS)
def test_the_password_is_taken_out_and_put_back(form: str) -> None:
    url = form.replace("S", "geheim1!")
    kept, secret = split_secret(url)
    assert (kept, secret) == (form.replace("S", "{password}"), "geheim1!")
    assert masked(url) == kept == masked(kept)
    assert split_secret(kept) == (kept, "")
    assert with_secret(kept, secret) == url
    with pytest.raises(InvalidInput) as raised:
        checked_url(url)
    assert "geheim" not in str(raised.value)
    assert checked_url(kept) == kept


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://h/user=admin_password=_channel=1",
        "http://h/x?password=&a=1",
        "http://h/bypass=1",
        "rtsp://h/x?compass=north&keys=5",
        "rtsp://h/pass/word?stream=1",
        "file:///srv/a.mp4",
    ],
)
def test_what_holds_no_password_is_left_as_it_is(url: str) -> None:
    assert (split_secret(url), masked(url), with_secret(url, "x")) == ((url, ""), url, url)


def test_two_different_passwords_are_refused_without_repeating_them() -> None:
    with pytest.raises(InvalidInput) as raised:
        split_secret("http://h/?pwd=eins&token=zwei")
    assert "eins" not in str(raised.value)


@given(st.text(min_size=1, max_size=40).filter(lambda text: text != "{password}"))
def test_any_password_survives_the_way_into_the_address_and_out(password: str) -> None:
    try:
        password.encode()
    except UnicodeEncodeError:
        return
    url = with_secret("http://h/x?pwd={password}&a=1", password)
    assert split_secret(url) == ("http://h/x?pwd={password}&a=1", password)


def test_the_copy_on_a_volume_never_holds_one(tmp_path: Path) -> None:
    camera = Camera(id=1, uuid=uuid4(), name="gate", url="http://u:eins@h/?pwd=zwei", group="main")
    assert camera_copy(camera).url == "http://h/?pwd={password}"
