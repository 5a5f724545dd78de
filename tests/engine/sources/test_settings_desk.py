"""Settings survive, secrets are never shown, and what cannot work is refused with a reason."""

from __future__ import annotations

import msgspec
import pytest

from engine.catalog_thread import CatalogThread
from engine.client import PLACEHOLDER
from engine.events import EventBus
from engine.sources.settings_desk import AlarmSettingsDesk
from engine.wire_sources import AlarmSettings, ListenSettings, MailSettings, PreservationSettings
from storage.errors import InvalidInput
from tests.engine.sources.conftest import Said

MAIL = MailSettings(host="mail.example.org", user="nvr", password="s3cret!", sender="nvr@example.org")
LISTEN = ListenSettings(tcp_port=3444, webhook_port=3445, webhook_token="0123456789abcdef")


class Opened:
    """What the ports were told."""

    def __init__(self) -> None:
        self.settings: list[ListenSettings] = []


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
async def desk(catalog: CatalogThread, events: EventBus, opened: Opened) -> AlarmSettingsDesk:
    return await new_desk(catalog, events, opened)


async def new_desk(catalog: CatalogThread, events: EventBus, opened: Opened) -> AlarmSettingsDesk:
    desk = AlarmSettingsDesk(catalog, events, opened.settings.append)
    await desk.load()
    return desk


async def test_everything_is_off_and_by_the_book_at_first(desk: AlarmSettingsDesk, opened: Opened) -> None:
    assert desk.view() == AlarmSettings(
        mail=MailSettings(), listen=ListenSettings(), preservation=PreservationSettings()
    )
    assert opened.settings == [ListenSettings()]


async def test_settings_hold_after_a_restart_and_show_no_secret(
    desk: AlarmSettingsDesk, catalog: CatalogThread, events: EventBus, opened: Opened, said: Said
) -> None:
    kept = PreservationSettings(alarms_days=7)
    await desk.edit(AlarmSettings(mail=MAIL, listen=LISTEN, preservation=kept), "ada")
    again = await new_desk(catalog, events, opened)
    assert (again.mail, again.listen, again.preservation) == (MAIL, LISTEN, kept)
    assert opened.settings[-1] == LISTEN
    shown = again.view()
    assert shown.mail == msgspec.structs.replace(MAIL, password=PLACEHOLDER)
    assert shown.listen == msgspec.structs.replace(LISTEN, webhook_token=PLACEHOLDER)
    for key in ("mail", "listen"):
        setting = await catalog.read("station_setting", key)
        assert MAIL.password not in setting
        assert LISTEN.webhook_token not in setting
    (event,) = await said("alarm_settings.edited")
    assert event.actor == "ada"
    assert MAIL.password not in event.text
    assert LISTEN.webhook_token not in event.text


async def test_a_secret_given_as_it_is_shown_stays_and_an_empty_one_goes(desk: AlarmSettingsDesk) -> None:
    await desk.edit(AlarmSettings(mail=MAIL, listen=LISTEN), "ada")
    shown = desk.view()
    assert shown.mail is not None
    assert shown.listen is not None
    await desk.edit(
        AlarmSettings(
            mail=msgspec.structs.replace(shown.mail, sender="other@example.org"),
            listen=msgspec.structs.replace(shown.listen, tcp_port=0),
        ),
        "ada",
    )
    assert (desk.mail.password, desk.mail.sender) == (MAIL.password, "other@example.org")
    assert (desk.listen.webhook_token, desk.listen.tcp_port) == (LISTEN.webhook_token, 0)
    await desk.edit(AlarmSettings(mail=msgspec.structs.replace(MAIL, password="")), "ada")
    assert desk.mail.password == ""


async def test_a_password_is_not_sent_to_another_server(desk: AlarmSettingsDesk) -> None:
    await desk.edit(AlarmSettings(mail=MAIL), "ada")
    elsewhere = msgspec.structs.replace(MAIL, host="evil.example.net", password=PLACEHOLDER)
    with pytest.raises(InvalidInput, match="password"):
        await desk.edit(AlarmSettings(mail=elsewhere), "mallory")
    assert desk.mail == MAIL


@pytest.mark.parametrize(
    "changes",
    [
        AlarmSettings(mail=msgspec.structs.replace(MAIL, security="ssl3")),
        AlarmSettings(mail=msgspec.structs.replace(MAIL, host="a b")),
        AlarmSettings(mail=msgspec.structs.replace(MAIL, sender="nobody")),
        AlarmSettings(mail=msgspec.structs.replace(MAIL, sender="a@b\r\nBcc: c@d")),
        AlarmSettings(listen=msgspec.structs.replace(LISTEN, tcp_address="everywhere")),
        AlarmSettings(listen=msgspec.structs.replace(LISTEN, webhook_port=3444)),
        AlarmSettings(listen=msgspec.structs.replace(LISTEN, webhook_token="short")),
        AlarmSettings(listen=msgspec.structs.replace(LISTEN, webhook_token=PLACEHOLDER)),
    ],
)
async def test_what_cannot_work_is_refused_whole(desk: AlarmSettingsDesk, changes: AlarmSettings) -> None:
    before = desk.view()
    both = msgspec.structs.replace(changes, preservation=PreservationSettings(alarms_days=1))
    with pytest.raises(InvalidInput):
        await desk.edit(both, "ada")
    assert desk.view() == before
