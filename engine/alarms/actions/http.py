"""HTTP requests of alarms (HR-01, HR-02): GET or POST to something else, with templates in address and content.

Results name the host and the status, never the address, headers or what came back: any of them may hold a secret. Values
in the address are percent-encoded, and stand in its path and query only: an alarm's text never decides which host is called.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from engine.alarms.actions import templates
from engine.alarms.actions.occasion import Occasion
from engine.alarms.actions.words import host_words
from engine.wire_alarm_rules import HttpAction
from storage.errors import ActionFailed, InvalidInput
from storage.plain_text import plain_text

METHODS = ("GET", "POST")
REDIRECTS = 3
ANSWER_BYTES = 64 * 1024
"""Read of an answer, so that the other side sees its request served; the rest is not fetched."""
HEADER_BYTES = 8 * 1024
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_MEDIA_TYPE = re.compile(r"[\w.+\-]+/[\w.+\-]+(\s*;\s*[\w.\-]+=[\w.\-\"]+)*", re.ASCII)
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})
_TEMPORARY = frozenset({408, 425, 429})


def check_http(action: HttpAction) -> None:
    """Raises InvalidInput."""
    if action.method not in METHODS:
        raise InvalidInput(f"$.method: no {plain_text(action.method)!r}", "choose GET or POST")
    _split(action.url)
    templates.check(action.content, "$.content")
    if action.method == "POST" and not _MEDIA_TYPE.fullmatch(action.content_type):
        raise InvalidInput(
            f"$.content_type: {plain_text(action.content_type)!r} is none", "write it as application/json"
        )
    for name, value in action.headers:
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise InvalidInput(f"$.headers: {plain_text(name)!r} cannot be set", "leave it out")
        if len(value) > HEADER_BYTES or not value.isprintable() or not value.isascii():
            raise InvalidInput(f"$.headers: the value of {name} is no header text", "one line of ASCII")


def _split(url: str) -> tuple[str, templates.Template]:
    """Scheme and authority, which are taken as they are, and the template behind. Raises InvalidInput, never naming the address."""
    remedy = "write it as http://host/path or https://host/path"
    match = re.match(r"(https?://[^/?#\s]+)(.*)", url, re.IGNORECASE | re.DOTALL)
    if match is None:
        raise InvalidInput("$.url is no address", remedy)
    try:
        parts = urlsplit(match[1])
        is_right = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or not url.isprintable():
        raise InvalidInput("$.url has no host that can be read", remedy)
    if "{" in match[1].rpartition("@")[2]:
        raise InvalidInput("$.url: the host is fixed", "use `{…}` in path and query only")
    templates.check(match[2], "$.url")
    return match[1], templates.parse(match[2])


async def perform_http(action: HttpAction, occasion: Occasion) -> str:
    """Raises ActionFailed; InvalidInput for an action that was not checked."""
    check_http(action)
    values = occasion.values()
    authority, rest = _split(action.url)
    headers = dict(action.headers)
    body = None
    if action.method == "POST":
        body = templates.parse(action.content).render(values).encode("utf-8", "replace")
        headers["Content-Type"] = action.content_type
    headers.setdefault("User-Agent", "Watchdeck")
    where = host_words(action.url)
    try:
        url = URL(authority + rest.render(values, plain="url"), encoded=False)
        # No connection is kept, and no more memory taken than the answer's bound: nothing is decompressed.
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),  # the lane's deadline holds
            connector=aiohttp.TCPConnector(force_close=True, limit=1),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session:
            return await _ask(session, action.method, url, headers, body, where)
    except aiohttp.ClientError as error:
        raise _failure(error, where) from error
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else "its address is wrong"
        raise ActionFailed(f"{where} is not reached: {words}", "check the address") from error


async def _ask(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: dict[str, str],
    body: bytes | None,
    where: str,
) -> str:
    for _ in range(REDIRECTS + 1):
        async with session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
            if answer.status not in (301, 302, 303, 307, 308):
                await answer.content.read(ANSWER_BYTES)
                return _judged(answer.status, answer.reason or "", where)
            to = answer.headers.get("Location", "")
            next_url = url.join(URL(to)) if to else url
            if not to or not _is_same_place(url, next_url):
                # Headers, credentials and content are for the host that was named, not for another.
                raise ActionFailed(
                    f"{where} answers {answer.status}: somewhere else",
                    "give the address it moved to",
                    is_final=True,
                )
            if answer.status in (301, 302, 303):
                method, body = "GET", None
                headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
            url = next_url.with_user(url.user).with_password(url.password)
    raise ActionFailed(
        f"{where} sends on more than {REDIRECTS} times", "give the address it means", is_final=True
    )


def _is_same_place(url: URL, next_url: URL) -> bool:
    """The same host and port, or the same host by https."""
    if next_url.host != url.host:
        return False
    return (next_url.scheme, next_url.port) in ((url.scheme, url.port), ("https", 443))


def _judged(status: int, reason: str, where: str) -> str:
    words = f"{status} {plain_text(reason)}".strip()
    if 200 <= status < 300:
        return f"{where} answers {words}"
    is_final = status < 500 and status not in _TEMPORARY
    raise ActionFailed(f"{where} answers {words}", "see the other side's log", is_final=is_final)


def _failure(error: aiohttp.ClientError, where: str) -> ActionFailed:
    """aiohttp's errors as ours: the one place that knows both. Their own words hold the address."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return ActionFailed(
                f"the certificate of {where} is not trusted", "install its authority", is_final=True
            )
        case aiohttp.ClientConnectorDNSError():
            return ActionFailed(f"no host {where}", "check the name")
        case aiohttp.ClientConnectorError():
            words = error.os_error.strerror or "no connection"
            return ActionFailed(f"{where} is not reached: {words}", "is it up?")
        case aiohttp.InvalidURL():
            return ActionFailed(f"the address at {where} is wrong", "check it", is_final=True)
        case aiohttp.ServerDisconnectedError():
            return ActionFailed(f"{where} hung up without an answer")
        case _:
            return ActionFailed(f"{where} does not answer in HTTP: {type(error).__name__}")
