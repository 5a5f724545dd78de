"""Notifications to telephones and chats through Apprise (AA-11). Apprise blocks: it runs on two threads of its own, and is loaded at its first use.

The URL is a secret: it is in no result, and taken out of what Apprise says of a failure.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from engine.alarms.actions import templates
from engine.alarms.actions.occasion import Occasion
from engine.alarms.actions.words import scheme_words
from engine.wire_alarm_rules import PushAction
from storage.errors import ActionFailed, InvalidInput
from storage.plain_text import plain_text

THREADS = 2
"""One that hangs for good is lost to a service that never ends its answer; then the other; then pushes fail by their deadline."""
TITLE_LIMIT = 250
BODY_LIMIT = 10_000
LINES_KEPT = 5
_URL = re.compile(r"[a-z][a-z0-9+.\-]*://\S+", re.IGNORECASE)


def check_push(action: PushAction) -> None:
    """Raises InvalidInput. Whether Apprise knows the service shows only when it is used: loading it takes a second."""
    if not _URL.fullmatch(action.url) or not action.url.isprintable():
        raise InvalidInput(
            "$.url is no address of a notification service", "see Apprise: ntfy://topic, tgram://…"
        )
    templates.check(action.title, "$.title")
    templates.check(action.body, "$.body")


class Pusher:
    """Use as `with Pusher() as pusher`: the threads end with it, one that hangs is left behind."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "push")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def perform(self, action: PushAction, occasion: Occasion) -> str:
        """Raises ActionFailed; InvalidInput for an action that was not checked."""
        check_push(action)
        values = occasion.values()
        title = templates.parse(action.title).render(values)[:TITLE_LIMIT]
        body = templates.parse(action.body).render(values)[:BODY_LIMIT] or title
        try:
            future = asyncio.get_running_loop().run_in_executor(
                self._threads, _notify, action.url, title, body
            )
        except RuntimeError as error:
            raise ActionFailed("the engine is stopping") from error
        return await future


def _notify(url: str, title: str, body: str) -> str:
    """On a thread. Raises ActionFailed."""
    import apprise  # a second, and 20 MB: only where it is used

    service = scheme_words(url)
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    logger.propagate = False  # its lines may hold the URL
    try:
        notifier = apprise.Apprise()
        if not notifier.add(url):
            raise ActionFailed(
                f"Apprise knows no service `{service}`, or not with this URL",
                "see its list of services",
                is_final=True,
            )
        is_taken = bool(notifier.notify(title=title, body=body))
    finally:
        logger.removeHandler(heard)
    if not is_taken:
        why = _without_secrets(" ".join(heard.lines[-LINES_KEPT:]), url)
        raise ActionFailed(f"{service} did not take it{f': {why}' if why else ''}", "check its URL")
    return f"taken by {service}"


class _Heard(logging.Handler):
    """What Apprise says on this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())


def _without_secrets(words: str, url: str) -> str:
    """Anything of the URL behind its scheme could be a token."""
    text = _URL.sub("…", words)
    for part in set(re.split(r"[/?&=:@#]+", url.partition("://")[2])):
        for form in {part, unquote(part)}:
            if len(form) >= 4:
                text = text.replace(form, "…")
    return plain_text(" ".join(text.split()))
