"""A password inside a camera's address reaches the camera and nobody else."""

from __future__ import annotations

import pytest

from engine.cameras.open_source import open_source
from engine.cameras.rtsp_url import parse_rtsp_url
from engine.cameras.source import SourceSettings


@pytest.mark.parametrize("transport", ["tcp", "udp", "auto"])
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_the_source_is_opened_with_the_password_in_its_place(scheme: str, transport: str) -> None:
    settings = SourceSettings(
        url=f"{scheme}://192.0.2.1/x?pwd={{password}}", password="a b", transport=transport
    )
    source = open_source(settings)
    assert source._settings.url == f"{scheme}://192.0.2.1/x?pwd=a%20b"  # type: ignore[attr-defined]


def test_messages_name_the_path_without_it() -> None:
    url = parse_rtsp_url("rtsp://192.0.2.1/user=a_password=geheim_channel=1")
    assert "geheim" in url.text
    assert url.path == "/user=a_password={password}_channel=1"
