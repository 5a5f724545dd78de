"""A headless Chromium that plays files served to it: a player that shares no code with Watchdeck or Debian's ffmpeg.

The page works by itself: it loads the file, seeks to the middle, plays on and posts what it saw. No driver protocol.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

LIMIT_S = 60.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PAGE = """<!doctype html><video muted playsinline preload="auto"></video><script>
const video = document.querySelector("video");
const seen = {events: [], error: "", sought_s: -1};
let posted = false;
const done = () => {
  if (posted) return;
  posted = true;
  seen.width = video.videoWidth; seen.height = video.videoHeight;
  seen.duration_s = Number.isFinite(video.duration) ? video.duration : -1;
  seen.at_s = video.currentTime;
  seen.sound_bytes = video.webkitAudioDecodedByteCount || 0;
  fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
};
for (const name of ["loadedmetadata", "loadeddata", "seeked", "playing", "ended"])
  video.addEventListener(name, () => seen.events.push(name));
video.addEventListener("error", () => { seen.error = (video.error || {}).message || "error"; done(); });
video.addEventListener("loadeddata", () => { video.currentTime = video.duration / 2; }, {once: true});
video.addEventListener("seeked", () => { seen.sought_s = video.currentTime; video.play(); }, {once: true});
video.addEventListener("timeupdate", () => {
  if (seen.sought_s >= 0 && video.currentTime > seen.sought_s + 0.5) done();
});
video.addEventListener("ended", done);
video.src = "/file.mp4";
</script>"""


class Played(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page saw."""

    events: tuple[str, ...]
    error: str
    """Chromium's own words; empty = it played."""
    width: int
    height: int
    duration_s: float
    sought_s: float
    """Where the seek to the middle arrived; -1 = never."""
    at_s: float
    sound_bytes: int
    """Decoded sound; 0 = it plays silently."""


def installed() -> str:
    """Path of the browser; skips the test, saying how to get it, where there is none."""
    for name in _NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    pytest.skip("no Chromium here (too big for every run): apt-get install chromium")


async def play(browser: str, file: Path, profile: Path) -> Played:
    """Serve the file with ranges, open it, seek to the middle and go on."""
    answer: asyncio.Future[Played] = asyncio.get_running_loop().create_future()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def content(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(file, headers={"Content-Type": "video/mp4"})

    async def seen(request: web.Request) -> web.Response:
        if not answer.done():
            answer.set_result(msgspec.json.decode(await request.read(), type=Played))
        return web.Response()

    application = web.Application()
    application.add_routes(
        [web.get("/", page), web.get("/file.mp4", content), web.post("/seen", seen)],
    )
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        process = await _start(browser, f"http://127.0.0.1:{port}/", profile)
        try:
            async with asyncio.timeout(LIMIT_S):
                return await answer
        finally:
            process.terminate()
            await process.wait()
    finally:
        await runner.cleanup()


async def _start(browser: str, address: str, profile: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
        *("--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"),
        # Headless Chromium lives on only with a debugging port; 0 = any.
        *("--remote-debugging-port=0", address),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )
