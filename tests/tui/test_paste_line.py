"""The lines that are pasted elsewhere: what a shell there makes of them."""

from __future__ import annotations

import shlex

from engine.wire_links import VideoLink
from tui.paste_line import paste_lines


def link(*, is_loopback: bool = False, rtsp: str = "", start_us: int | None = None) -> VideoLink:
    return VideoLink(
        id="1",
        camera="gate",
        start_us=start_us,
        end_us=None if start_us is None else start_us + 1,
        http_url="http://nvr:8091/v/T0K_en/gate.mp4",
        rtsp_url=rtsp,
        expires_us=0,
        is_loopback=is_loopback,
        http_port=8091,
        rtsp_port=8554,
    )


def test_a_player_reaches_an_open_port_directly() -> None:
    mpv, vlc, address = paste_lines(link(rtsp="rtsp://nvr:8554/v/T0K_en"), {}, "nvr", 600)
    assert mpv.text == "mpv --profile=low-latency rtsp://nvr:8554/v/T0K_en"
    assert vlc.text == "vlc --rtsp-tcp rtsp://nvr:8554/v/T0K_en"
    assert address.text == "rtsp://nvr:8554/v/T0K_en"


def test_through_the_very_log_in_of_the_console() -> None:
    environ = {"USER": "ann", "SSH_CONNECTION": "198.51.100.7 50022 192.0.2.9 2222"}
    mpv = paste_lines(link(is_loopback=True, start_us=5), environ, "cellar", 90)[0]
    tunnel, _, player = mpv.text.partition(" && ")
    assert shlex.split(tunnel) == [
        *("ssh", "-f", "-o", "ExitOnForwardFailure=yes", "-L", "8091:localhost:8091", "-p", "2222"),
        *("ann@192.0.2.9", "sleep", "90"),
    ]
    assert player == "mpv http://nvr:8091/v/T0K_en/gate.mp4"


def test_whoever_stands_before_the_machine_is_told_its_name() -> None:
    mpv = paste_lines(link(is_loopback=True), {"SUDO_USER": "ann", "USER": "root"}, "cellar", 60)[0]
    assert "ann@cellar sleep 60" in mpv.text


def test_nothing_in_it_is_more_than_a_word() -> None:
    environ = {"USER": "x; rm -rf ~", "SSH_CONNECTION": "a b $(reboot) 22"}
    words = shlex.split(paste_lines(link(is_loopback=True), environ, "h", 1)[0].text.partition(" && ")[0])
    assert words[-3] == "x; rm -rf ~@$(reboot)"
