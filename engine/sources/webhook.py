"""Events by HTTP: `POST /hook/NAME` with `Authorization: Bearer TOKEN` becomes `external.webhook` with NAME as its source.

The text is `text`, `message` or `title` of a JSON body, else the body itself. A port of its own: nothing of the engine's API is here.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable

import msgspec
from aiohttp import web

from engine.sources.heard import Heard
from engine.sources.token_bucket import TokenBucket
from storage.clock import Clock

log = logging.getLogger(__name__)

KIND = "external.webhook"
BODY_LIMIT_BYTES = 64 * 1024
NAME_LIMIT = 64
RATE = 100
"""Requests a second, all senders together; beyond the burst they get 429 and may come again."""
BURST = 500
_TEXT_FIELDS = ("text", "message", "title")


class Webhook:
    """The application of one port. `on_refused` is told the address of whoever had no or a wrong token."""

    def __init__(self, heard: Heard, clock: Clock, token: str, on_refused: Callable[[str], None]) -> None:
        self._heard = heard
        self._token = token.encode()
        self._on_refused = on_refused
        self._bucket = TokenBucket(clock, rate=RATE, burst=BURST)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_post("/hook/{name}", self._post)
        return app

    async def _post(self, request: web.Request) -> web.Response:
        if not self._bucket.take():
            self._heard.dropped += 1
            return _said(429, "too many: wait a second")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode("utf-8", "surrogateescape"), self._token
        ):
            self._heard.dropped += 1
            self._on_refused(request.remote or "?")
            return _said(401, "the token is missing or wrong")
        name = request.match_info["name"]
        if not name.isprintable() or len(name) > NAME_LIMIT:
            return _said(400, f"the name has over {NAME_LIMIT} characters or some that cannot be printed")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._heard.dropped += 1
            return _said(413, f"the body has over {BODY_LIMIT_BYTES} bytes")
        self._heard.take(KIND, name, request.remote or "?", body_text(body))
        return web.Response(status=204)


def body_text(body: bytes) -> str:
    """What a person should read of it."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if isinstance(value, dict):
        for field in _TEXT_FIELDS:
            if isinstance(value.get(field), str):
                return str(value[field])
    return body.decode("utf-8", "replace")


def _said(status: int, words: str) -> web.Response:
    return web.Response(status=status, text=words + "\n")
