"""Send to: an address for the camera in hand, shown above the footer until it is dismissed or over."""

from __future__ import annotations

from pathlib import Path

from engine.client import WatchdeckError
from engine.wire_links import VideoLink, VideoLinkAsk
from tests.fakes.engine import FakeEngine, FakeEngineClient
from tests.tui.desk_for import app_for, shows, until
from tui.screens.send_to import SendToLines


class LinkingClient(FakeEngineClient):
    def __init__(self, engine: LinkingEngine) -> None:
        super().__init__(engine)
        self._linking = engine

    async def add_video_link(self, ask: VideoLinkAsk) -> VideoLink:
        engine = self._linking
        engine.asked.append(ask)
        if engine.refusal is not None:
            raise engine.refusal
        return VideoLink(
            id="ab12",
            camera=ask.camera,
            start_us=ask.start_us,
            end_us=ask.end_us,
            http_url="http://localhost:8091/v/0123456789abcdefghijkl/driveway.mp4",
            rtsp_url="" if ask.start_us else "rtsp://localhost:8554/v/0123456789abcdefghijkl",
            expires_us=engine.clock.now_us() + ask.minutes * 60_000_000,
            is_loopback=ask.start_us is None,
            http_port=8091,
            rtsp_port=8554,
        )


class LinkingEngine(FakeEngine):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[VideoLinkAsk] = []
        self.refusal: WatchdeckError | None = None

    def client(self) -> LinkingClient:
        return LinkingClient(self)


async def test_an_address_of_the_camera_in_hand(tmp_path: Path) -> None:
    engine = LinkingEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("ctrl+o")
        await shows(pilot, "no camera is in hand on this screen")
        await pilot.press("2")
        await shows(pilot, "Last seen")
        await pilot.press("ctrl+o")
        text = await shows(
            pilot, "driveway live", "mpv: ssh -f", "VLC: ssh -f", "address: rtsp://localhost:8554"
        )
        # Over several rows, and whole: the last of it stands there too.
        assert "rtsp://localhost:8554/v/0123456789abcdefghijkl" in "".join(
            line.rstrip() for line in text.splitlines()
        )
        assert engine.asked == [VideoLinkAsk(camera="driveway", minutes=10)]
        copied: list[str] = []
        app.copy_to_clipboard = copied.append  # type: ignore[method-assign]
        await pilot.press("y")
        await until(pilot, lambda: len(copied) == 1)
        assert copied[0].endswith("mpv --profile=low-latency rtsp://localhost:8554/v/0123456789abcdefghijkl")
        await pilot.press("j", "escape")
        await until(pilot, lambda: not app.base.query_one(SendToLines).display)
        await shows(pilot, "Last seen")


async def test_a_clip_of_the_timeline_and_an_address_that_is_over(tmp_path: Path) -> None:
    engine = LinkingEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        await pilot.press("colon", *"send to 2", "enter")
        await shows(pilot, "mpv http://localhost:8091")
        (ask,) = engine.asked
        assert ask.minutes == 2
        assert ask.start_us is not None
        assert ask.end_us == ask.start_us + 30_000_000
        engine.clock.advance(121_000_000)
        engine.tick()
        await until(pilot, lambda: not app.base.query_one(SendToLines).display)
        await pilot.press("colon", *"send to 1441", "enter")
        await shows(pilot, "minutes: 1 to 1,440")
        engine.refusal = WatchdeckError("video links are off", "set `listen`")
        await pilot.press("ctrl+o")
        await shows(pilot, "send to: video links are off")
