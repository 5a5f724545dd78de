"""`watchdeck link`: addresses for players elsewhere."""

from __future__ import annotations

from tests.tui.cli.conftest import Shell


def test_an_address_is_opened_listed_and_closed(shell: Shell) -> None:
    shell("camera", "add", "gate", "rtsp://192.0.2.1/")
    made = shell.json("link", "add", "gate", "--minutes", "3", "--host", "nvr.example")
    url = made["video_link"]["http_url"]
    assert url.startswith("http://nvr.example:")
    assert made["commands"]["address"] == url
    assert "ssh -f" in made["commands"]["mpv"]
    listed = shell.json("link", "list")["links"]
    assert [each["id"] for each in listed] == [made["video_link"]["id"]]
    assert "gate" in shell("link").out
    assert shell("link", "remove", made["video_link"]["id"]).code == 0
    assert shell.json("link", "list")["links"] == []
    assert shell("link", "remove", "00000000").code != 0


def test_half_a_stretch_and_an_unknown_camera(shell: Shell) -> None:
    shell("camera", "add", "gate", "rtsp://192.0.2.1/")
    assert "both its start and its end" in shell("link", "add", "gate", "--from", "-5m").err
    assert "no camera 'yard'" in shell("link", "add", "yard").err
    # What is said of it anywhere never has the secret in it.
    token = shell.json("link", "add", "gate")["video_link"]["http_url"].split("/v/")[1].split("/")[0]
    for said in (shell("log"), shell("events")):
        assert token not in said.out
