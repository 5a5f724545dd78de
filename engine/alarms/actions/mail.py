"""Mails of alarms (AA-07, SM-01): STARTTLS, TLS or in the clear, with a picture of the event. The only place that speaks SMTP.

What comes from outside gets into the body and the subject as text, never as a header; errors are mapped to ActionFailed here.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime, make_msgid, parseaddr
from functools import lru_cache
from typing import Any, Protocol

import aiosmtplib
import msgspec

from engine.alarms.actions import templates
from engine.alarms.actions.occasion import Occasion
from engine.deadline import Deadline
from engine.supervise import attempt
from engine.wire_alarm_rules import ActionResult, ActionState, MailAction
from engine.wire_sources import MailSettings
from storage.clock import Clock
from storage.errors import ActionFailed, InvalidInput, WatchdeckError
from storage.plain_text import plain_text
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

SETTING = "mail"
"""In the catalog: MailSettings as JSON without the password; the password is the secret of the same name."""
SECURITIES = ("starttls", "tls", "none")
RECIPIENTS_LIMIT = 50
SUBJECT_LIMIT = 200
BODY_LIMIT = 100_000
PICTURE_S = 8.0
"""A picture that is not made in this time is left out: the words are what matters."""
SETTINGS_S = 2.0
TEST_S = 40.0
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class MailCatalog(Protocol):
    async def read(self, call: str, /, *args: Any, **kwargs: Any) -> Any: ...


class Snapshots(Protocol):
    async def jpeg(self, camera_name: str, at_us: int) -> bytes:
        """The camera's picture of that moment. Raises PictureUnavailable, NotFound."""
        ...


def check_mail(action: MailAction) -> None:
    """Raises InvalidInput."""
    if not action.to:
        raise InvalidInput("$.to is empty", "name at least one address")
    if len(action.to) > RECIPIENTS_LIMIT:
        raise InvalidInput(f"$.to has more than {RECIPIENTS_LIMIT}", "use a mailing list")
    for address in action.to:
        check_address(address, "$.to")
    templates.check(action.subject, "$.subject")
    templates.check(action.body, "$.body")


def check_address(address: str, where: str) -> None:
    """Raises InvalidInput that names the field, unless it is one plain address: `guard@example.org`."""
    try:
        parsed = Address(addr_spec=address)
        is_right = bool(parsed.username and parsed.domain) and address.isascii()
    except (ValueError, IndexError, MessageError):
        is_right = False
    if not is_right or _BREAKS.search(address) or any(each in address for each in " ,;<>"):
        raise InvalidInput(
            f"{where}: {plain_text(address)!r} is no mail address", "write it as guard@example.org"
        )


def check_settings(settings: MailSettings) -> None:
    """Raises InvalidInput."""
    if settings.security not in SECURITIES:
        raise InvalidInput(
            f"$.mail.security: no {settings.security!r}", f"choose one of {', '.join(SECURITIES)}"
        )
    if settings.sender:
        is_line = not _BREAKS.search(settings.sender)
        check_address(parseaddr(settings.sender)[1] if is_line else settings.sender, "$.mail.sender")
    if settings.host and not re.fullmatch(r"[A-Za-z0-9.:\-_]{1,255}", settings.host):
        raise InvalidInput(
            f"$.mail.host: {plain_text(settings.host)!r} is no host", "give a name or an IP address"
        )


class Mailer:
    """Sends mails with the settings that the catalog holds at that moment."""

    def __init__(self, catalog: MailCatalog, clock: Clock, snapshots: Snapshots) -> None:
        self._catalog = catalog
        self._clock = clock
        self._snapshots = snapshots
        self._known = MailSettings()

    async def perform(self, action: MailAction, occasion: Occasion) -> str:
        """Raises ActionFailed; InvalidInput for an action that was not checked."""
        settings = await self._settings()
        check_mail(action)
        values = occasion.values()
        body = templates.parse(action.body).render(values)
        picture, missing = await self._picture(action, occasion)
        if missing:
            body = f"{body.rstrip()}\n\n({missing})\n"
        message = self._message(
            settings, action.to, templates.parse(action.subject).render(values), body, picture
        )
        answer = await self._send(settings, action.to, message)
        return f"{answer}; {missing}" if missing else answer

    async def test(self, to: str, station: str) -> ActionResult:
        """SM-01: one mail, now, to see whether the settings work. A server that refuses is a result. Raises InvalidInput."""
        check_address(to, "$.to")
        answer = ""

        async def once() -> None:
            nonlocal answer
            settings = await self._settings()
            words = f"This is a test of the mail settings of {station}. They work.\n"
            message = self._message(settings, (to,), f"{station}: test mail", words, None)
            try:
                async with Deadline(TEST_S):
                    answer = await self._send(settings, (to,), message)
            except TimeoutError as error:
                raise ActionFailed(f"the mail server did not answer within {TEST_S:.0f} s") from error

        error = await attempt("test mail", once)
        return ActionResult(
            action=f"mail to {to}",
            state=ActionState.DONE if error is None else ActionState.FAILED,
            tries=1,
            text=answer if error is None else str(error),
            time_us=self._clock.now_us(),
        )

    async def remember(self) -> None:
        """Know the settings before the disk with the catalog dies: the mail about it must still go out."""
        try:
            async with Deadline(SETTINGS_S):
                self._known = await self._kept_settings()
        except (TimeoutError, WatchdeckError) as error:
            log.warning("mail settings cannot be read, those known before are used: %s", error)

    async def _settings(self) -> MailSettings:
        await self.remember()
        if not self._known.host:
            raise ActionFailed("no mail server is set up", "give one in the alarm settings", is_final=True)
        return self._known

    async def _kept_settings(self) -> MailSettings:
        kept: str | None = await self._catalog.read("station_setting", SETTING)
        settings = MailSettings() if kept is None else msgspec.json.decode(kept, type=MailSettings)
        password: str | None = await self._catalog.read("secret", SETTING)
        return msgspec.structs.replace(settings, password=password or "")

    async def _picture(self, action: MailAction, occasion: Occasion) -> tuple[bytes | None, str]:
        """The JPEG, or why there is none."""
        camera = occasion.row.camera
        if not action.has_snapshot or not camera:
            return None, ""
        picture: bytes | None = None

        async def once() -> None:
            nonlocal picture
            async with Deadline(PICTURE_S):
                picture = await self._snapshots.jpeg(camera, occasion.at_us)

        try:
            await once()
        except TimeoutError:
            return None, f"without a picture: none was made within {PICTURE_S:.0f} s"
        except WatchdeckError as error:
            return None, f"without a picture: {error.what}"
        return picture, ""

    def _message(
        self, settings: MailSettings, to: tuple[str, ...], subject: str, body: str, picture: bytes | None
    ) -> EmailMessage:
        message = EmailMessage(policy=MAIL_POLICY)
        sender = sender_of(settings)
        message["From"] = sender
        message["To"] = ", ".join(to)
        message["Subject"] = _header_text(subject)
        message["Date"] = format_datetime(datetime.fromtimestamp(self._clock.now_us() / US_PER_SECOND, UTC))
        message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_body_text(body))
        if picture is not None:
            message.add_attachment(picture, maintype="image", subtype="jpeg", filename="event.jpg")
        return message

    async def _send(self, settings: MailSettings, to: tuple[str, ...], message: EmailMessage) -> str:
        has_login = bool(settings.user)
        context = None if settings.security == "none" else await _tls_context(settings.verify_tls)
        try:
            refused, answer = await aiosmtplib.send(
                message,
                sender=parseaddr(sender_of(settings))[1],
                recipients=to,
                hostname=settings.host,
                port=settings.port,
                username=settings.user if has_login else None,
                password=settings.password if has_login else None,
                local_hostname=_own_name(),
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                tls_context=context,
                timeout=None,  # the lane's deadline holds
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _failure(error, settings) from error
        if refused:
            who = "; ".join(
                f"{address}: {response.code} {response.message}" for address, response in refused.items()
            )
            raise ActionFailed(
                f"sent to {len(to) - len(refused)} of {len(to)}, refused for {_said(who, settings)}",
                "check the addresses",
                is_final=True,
            )
        return f"accepted by {settings.host}: {_said(answer, settings)}"


def sender_of(settings: MailSettings) -> str:
    if settings.sender:
        return settings.sender
    return settings.user if "@" in settings.user else f"watchdeck@{_own_name()}"


async def _tls_context(verify: bool) -> ssl.SSLContext:
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    # Reading the machine's certificates takes up to a second on a slow one: never on the loop.
    thread = ThreadPoolExecutor(1, "certificates")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, _trusting_context)
    finally:
        thread.shutdown(wait=False)


@lru_cache(maxsize=1)
def _trusting_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _own_name() -> str:
    """For EHLO; never asks a name server."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.\-]+", name) else "localhost"


def _header_text(said: str) -> str:
    """One line, whatever is in it."""
    return _BREAKS.sub(" ", _whole_text(said))[:SUBJECT_LIMIT].strip() or "alarm"


def _body_text(said: str) -> str:
    return _CONTROLS.sub("", _whole_text(said).replace("\r\n", "\n").replace("\r", "\n"))[:BODY_LIMIT]


def _whole_text(said: str) -> str:
    """Without halves of surrogate pairs, which have no bytes."""
    return said.encode("utf-8", "replace").decode("utf-8")


def _said(words: str, settings: MailSettings) -> str:
    """What the server said, as one short line; a password that it repeats is not."""
    text = words.replace(settings.password, "****") if settings.password else words
    return plain_text(" ".join(text.split()))


def _failure(error: Exception, settings: MailSettings) -> ActionFailed:
    """aiosmtplib's and the socket's errors as ours: the one place that knows both."""
    where = f"{settings.host}:{settings.port}"
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return ActionFailed(
                f"the mail server {where} does not accept user and password: "
                f"{error.code} {_said(error.message, settings)}",
                "check the mail settings",
                is_final=True,
            )
        case aiosmtplib.SMTPRecipientsRefused():
            who = "; ".join(f"{each.recipient}: {each.code} {each.message}" for each in error.recipients)
            is_final = all(each.code >= 500 for each in error.recipients)
            return ActionFailed(
                f"refused by {where}: {_said(who, settings)}", "check the addresses", is_final=is_final
            )
        case aiosmtplib.SMTPResponseException():
            return ActionFailed(
                f"refused by {where}: {error.code} {_said(error.message, settings)}",
                "see what the mail server says",
                is_final=error.code >= 500,
            )
        case aiosmtplib.SMTPNotSupported():
            return ActionFailed(
                f"the mail server {where} does not offer {_offer(settings)}",
                "choose another security, or no user",
                is_final=True,
            )
        case aiosmtplib.SMTPServerDisconnected():
            return ActionFailed(f"the mail server {where} hung up", "check port and security")
        case ssl.SSLCertVerificationError():
            return ActionFailed(
                f"the certificate of {where} is not trusted: {plain_text(error.verify_message)}",
                "install its authority, or set verify_tls to false",
                is_final=True,
            )
    cause = error.__cause__
    if isinstance(error, aiosmtplib.SMTPConnectError) and isinstance(cause, OSError | ssl.SSLError):
        return _failure(cause, settings)
    if isinstance(error, ssl.SSLError):
        return ActionFailed(
            f"no TLS with {where}: {plain_text(error.reason or 'handshake failed')}",
            "check port and security: 465 is tls, 587 starttls",
        )
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ActionFailed(
        f"the mail server {where} is not reached: {_said(words, settings)}", "check host, port and network"
    )


def _offer(settings: MailSettings) -> str:
    return "STARTTLS, or no log-in" if settings.security == "starttls" else "a log-in"
