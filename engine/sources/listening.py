"""The ports for messages from outside: opened as the settings say, opened again when they could not be, closed in order.

Off until configured. A port that cannot be opened is a visible state with the reason, not an error of the engine.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from engine.deadline import Deadline
from engine.events import EventBus
from engine.sources.heard import Heard, Matching
from engine.sources.tcp_messages import MESSAGE_LIMIT_BYTES, TcpMessages
from engine.sources.token_bucket import TokenBucket
from engine.sources.webhook import Webhook
from engine.wire_sources import ListenSettings, ListenView
from storage.catalog.records import Severity
from storage.clock import Clock

log = logging.getLogger(__name__)

AGAIN_S = 10.0
"""An address that is not there yet (a link that comes up late), a port somebody else has."""
STOP_S = 1.0
REFUSED_A_MINUTE = 6


class Listening:
    """Opens and closes ports. `run` for ever; `settings` is what holds now, with its secret. Loop only."""

    def __init__(
        self,
        events: EventBus,
        clock: Clock,
        matching: Matching,
        *,
        again_s: float = AGAIN_S,
    ) -> None:
        self._events = events
        self._clock = clock
        self._again_s = again_s
        self._heard = Heard(events, clock, matching)
        self._refusals = TokenBucket(clock, rate=REFUSED_A_MINUTE / 60, burst=REFUSED_A_MINUTE)
        self._settings = ListenSettings()
        self._changed = asyncio.Event()
        self._tcp: asyncio.Server | None = None
        self._messages: TcpMessages | None = None
        self._web: web.AppRunner | None = None
        self._troubles: dict[str, str] = {}

    def apply(self, settings: ListenSettings) -> None:
        """They were edited, and are kept already. `webhook_token` in clear."""
        self._settings = settings
        self._changed.set()

    def view(self) -> ListenView:
        return ListenView(
            is_tcp_open=self._tcp is not None,
            is_webhook_open=self._web is not None,
            trouble="; ".join(self._troubles.values()),
            heard=self._heard.newest,
            dropped=self._heard.dropped,
        )

    @property
    def tcp_port(self) -> int | None:
        """As bound."""
        return self._tcp.sockets[0].getsockname()[1] if self._tcp is not None else None

    @property
    def webhook_port(self) -> int | None:
        return self._web.addresses[0][1] if self._web is not None and self._web.addresses else None

    async def run(self) -> None:
        try:
            while True:
                self._changed.clear()
                await self._close()
                await self._open(self._settings)
                await self._until_changed()
        finally:
            await self._close()

    async def _until_changed(self) -> None:
        """Or until it is time to try a port again."""
        if not self._troubles:
            await self._changed.wait()
            return
        try:
            async with Deadline(self._again_s):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _open(self, settings: ListenSettings) -> None:
        before, self._troubles = self._troubles, {}
        if settings.tcp_port:
            messages = self._messages = TcpMessages(self._heard)
            try:
                self._tcp = await asyncio.start_server(
                    messages.serve, settings.tcp_address, settings.tcp_port, limit=2 * MESSAGE_LIMIT_BYTES
                )
            except OSError as error:
                self._trouble("TCP messages", settings.tcp_address, settings.tcp_port, error)
        if settings.webhook_port and not settings.webhook_token:
            self._troubles["webhooks"] = (
                "webhooks need a token: `watchdeck listen set --webhook-token-file FILE`"
            )
        elif settings.webhook_port:
            hook = Webhook(self._heard, self._clock, settings.webhook_token, self._refused)
            runner = web.AppRunner(hook.application(), access_log=None, shutdown_timeout=STOP_S)
            await runner.setup()
            try:
                await web.TCPSite(runner, settings.webhook_address, settings.webhook_port).start()
                self._web = runner
            except OSError as error:
                await runner.cleanup()
                self._trouble("webhooks", settings.webhook_address, settings.webhook_port, error)
        for what, words in self._troubles.items():
            if before.get(what) != words:
                log.warning("%s; again in %.0f s", words, self._again_s)

    def _trouble(self, what: str, address: str, port: int, error: OSError) -> None:
        words = f"port {port} of {address} for {what} cannot be opened: {error.strerror or error}"
        self._troubles[what] = words

    def _refused(self, peer: str) -> None:
        if self._refusals.take():
            self._events.publish(
                "login.refused",
                f"a webhook from {peer} had no or a wrong token",
                severity=Severity.WARNING,
                source=peer,
            )

    async def _close(self) -> None:
        server, self._tcp = self._tcp, None
        runner, self._web = self._web, None
        if server is not None:
            server.close()
        if self._messages is not None:
            self._messages.hang_up()
        if runner is not None:
            await runner.cleanup()
