"""What alarms need besides rules: the mail server, the ports for messages from outside, how long things are kept.

Kept in the catalog, secrets apart; shown with PLACEHOLDER in their place, and given as PLACEHOLDER they stay. Manual rows SM, TM, PR.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TypeVar

import msgspec

from engine.alarms.actions.mail import check_settings
from engine.catalog_access import CatalogAccess
from engine.events import EventBus
from engine.wire_sources import AlarmSettings, ListenSettings, MailSettings, PreservationSettings
from storage.camera_url import PLACEHOLDER
from storage.errors import InvalidInput

MAIL, LISTEN, PRESERVATION = "mail", "listen", "preservation"
"""Keys of `station_setting`."""
MAIL_SECRET, WEBHOOK_SECRET = "mail", "webhook"
TOKEN_LEAST = 16
"""Characters: a port that anybody may try."""

S = TypeVar("S", MailSettings, ListenSettings, PreservationSettings)


class AlarmSettingsDesk:
    """`load` before anything else. `mail`, `listen` and `preservation` hold now, with secrets in clear: for the engine alone. Loop only."""

    def __init__(
        self, catalog: CatalogAccess, events: EventBus, on_listen: Callable[[ListenSettings], None]
    ) -> None:
        self._catalog = catalog
        self._events = events
        self._on_listen = on_listen
        self.mail = MailSettings()
        self.listen = ListenSettings()
        self.preservation = PreservationSettings()

    async def load(self) -> None:
        mail = await self._read(MAIL, MailSettings)
        listen = await self._read(LISTEN, ListenSettings)
        self.mail = msgspec.structs.replace(mail, password=await self._secret(MAIL_SECRET))
        self.listen = msgspec.structs.replace(listen, webhook_token=await self._secret(WEBHOOK_SECRET))
        self.preservation = await self._read(PRESERVATION, PreservationSettings)
        self._on_listen(self.listen)

    def view(self) -> AlarmSettings:
        """All parts; secrets are PLACEHOLDER, or empty when there is none."""
        return AlarmSettings(
            mail=msgspec.structs.replace(self.mail, password=PLACEHOLDER if self.mail.password else ""),
            listen=msgspec.structs.replace(
                self.listen, webhook_token=PLACEHOLDER if self.listen.webhook_token else ""
            ),
            preservation=self.preservation,
        )

    async def edit(self, changes: AlarmSettings, actor: str) -> AlarmSettings:
        """Replace the parts given, all or none. Raises InvalidInput."""
        mail = None if changes.mail is None else self._checked_mail(changes.mail)
        listen = None if changes.listen is None else self._checked_listen(changes.listen)
        told = []
        if mail is not None:
            await self._write(MAIL, msgspec.structs.replace(mail, password=""))
            await self._catalog.write("put_secret", MAIL_SECRET, mail.password)
            self.mail = mail
            told.append(f"mail server {mail.host or 'none'}")
        if listen is not None:
            await self._write(LISTEN, msgspec.structs.replace(listen, webhook_token=""))
            await self._catalog.write("put_secret", WEBHOOK_SECRET, listen.webhook_token)
            self.listen = listen
            self._on_listen(listen)
            told.append(
                f"TCP messages {_where(listen.tcp_address, listen.tcp_port)},"
                f" webhooks {_where(listen.webhook_address, listen.webhook_port)}"
            )
        if changes.preservation is not None:
            await self._write(PRESERVATION, changes.preservation)
            self.preservation = changes.preservation
            told.append(f"alarms kept {changes.preservation.alarms_days} days")
        if told:
            self._events.publish("alarm_settings.edited", f"Alarm settings: {'; '.join(told)}", actor=actor)
        return self.view()

    # -- checks ------------------------------------------------------------------------------------------

    def _checked_mail(self, mail: MailSettings) -> MailSettings:
        check_settings(mail)
        if mail.password != PLACEHOLDER:
            return mail
        now = self.mail
        if now.password and (mail.host, mail.port) != (now.host, now.port):
            # Else whoever may edit settings could have the password sent to a server of his own.
            raise InvalidInput(
                "$.mail.password: another server is given, and the old one's password is not sent there",
                "give the password again",
            )
        return msgspec.structs.replace(mail, password=now.password)

    def _checked_listen(self, listen: ListenSettings) -> ListenSettings:
        for name, address in (
            ("tcp_address", listen.tcp_address),
            ("webhook_address", listen.webhook_address),
        ):
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise InvalidInput(
                    f"$.listen.{name}: {address!r} is no address of this machine",
                    "127.0.0.1 for this machine alone, 0.0.0.0 or :: for all networks",
                ) from None
        if listen.tcp_port and listen.tcp_port == listen.webhook_port:
            raise InvalidInput("$.listen: one port cannot take TCP messages and webhooks", "give two ports")
        if listen.webhook_token == PLACEHOLDER:
            listen = msgspec.structs.replace(listen, webhook_token=self.listen.webhook_token)
        token = listen.webhook_token
        if listen.webhook_port and (len(token) < TOKEN_LEAST or not token.isascii() or " " in token):
            raise InvalidInput(
                f"$.listen.webhook_token: webhooks need a token of at least {TOKEN_LEAST} plain characters",
                "such as what `openssl rand -hex 24` prints",
            )
        return listen

    # -- the catalog -------------------------------------------------------------------------------------

    async def _read(self, key: str, kind: type[S]) -> S:
        kept: str | None = await self._catalog.read("station_setting", key)
        return kind() if kept is None else msgspec.json.decode(kept, type=kind)

    async def _write(self, key: str, value: S) -> None:
        await self._catalog.write("put_station_setting", key, msgspec.json.encode(value).decode())

    async def _secret(self, key: str) -> str:
        kept: str | None = await self._catalog.read("secret", key)
        return kept or ""


def _where(address: str, port: int) -> str:
    return f"on {address} port {port}" if port else "off"
