"""Against a real SMTP server."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.alarms.actions.lanes import LaneRules
from engine.alarms.actions.mail import SETTING, Mailer, check_address, check_mail, check_settings
from engine.alarms.actions.runner import ActionRunner
from engine.wire_alarm_rules import MailAction
from engine.wire_sources import MailSettings
from storage.errors import ActionFailed, InvalidInput, PictureUnavailable
from tests.engine.alarms.actions.alarm_row import AT_US, alarm_row, occasion
from tests.fakes.action_catalog import ActionCatalog
from tests.fakes.clock import FakeClock
from tests.fakes.mail_server import PASSWORD, Mailbox, mail_server, silent_server
from tests.rtsp.server import make_certificate

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
GUARD = MailAction(to=("guard@example.org",))


class Camera:
    """Snapshots of one moment."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.error: Exception | None = None

    async def jpeg(self, camera_name: str, at_us: int) -> bytes:
        self.asked.append((camera_name, at_us))
        if self.error is not None:
            raise self.error
        return JPEG


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def mailer(camera: Camera, port: int, *, password: str = "", **given: Any) -> Mailer:
    catalog = ActionCatalog()
    kept = MailSettings(
        **{"host": "127.0.0.1", "port": port, "security": "none", "sender": "nvr@example.org"} | given
    )
    catalog.settings[SETTING] = msgspec.json.encode(kept).decode()
    if password:
        catalog.secrets[SETTING] = password
    return Mailer(catalog, FakeClock(), camera)


def attached(box: Mailbox) -> list[bytes]:
    return [part.get_content() for part in box.messages[0].iter_attachments()]


async def test_a_mail_has_the_words_of_the_alarm_and_its_picture(camera: Camera) -> None:
    with mail_server() as (box, port):
        answer = await mailer(camera, port).perform(
            GUARD, occasion(source="yard", text="motion\r\nin 12 cells")
        )
    (message,) = box.messages
    assert message["Subject"] == "gate house: door opened, yard"
    assert (message["From"], message["To"]) == ("nvr@example.org", "guard@example.org")
    assert message["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"
    assert message["Message-ID"].endswith("@example.org>")
    body = message.get_body()
    assert body is not None
    assert "motion\r\nin 12 cells\r\n" in body.get_content()
    assert attached(box) == [JPEG]
    assert camera.asked == [("yard", AT_US)]
    assert "accepted" in answer


async def test_a_picture_that_cannot_be_made_is_left_out_and_said(camera: Camera) -> None:
    camera.error = PictureUnavailable("the drive is asleep")
    with mail_server() as (box, port):
        answer = await mailer(camera, port).perform(GUARD, occasion())
    body = box.messages[0].get_body()
    assert body is not None
    assert "without a picture: the drive is asleep" in body.get_content()
    assert "without a picture" in answer
    assert attached(box) == []


@pytest.mark.parametrize("change", [{"camera": ""}, {}])
async def test_no_picture_is_asked_for_where_there_is_none_or_none_is_wanted(
    camera: Camera, change: dict[str, str]
) -> None:
    action = GUARD if change else msgspec.structs.replace(GUARD, has_snapshot=False)
    with mail_server() as (box, port):
        await mailer(camera, port).perform(action, occasion(**change))
    assert camera.asked == []
    assert not box.messages[0].is_multipart()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_link_is_encrypted(camera: Camera, pem: Path, security: str) -> None:
    with mail_server(pem, security=security) as (box, port):
        await mailer(camera, port, security=security, verify_tls=False).perform(GUARD, occasion())
    assert box.has_tls == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    camera: Camera, pem: Path, security: str
) -> None:
    with (
        mail_server(pem, security=security) as (box, port),
        pytest.raises(ActionFailed, match="certificate") as failed,
    ):
        await mailer(camera, port, security=security).perform(GUARD, occasion())
    assert failed.value.is_final
    assert box.messages == []


async def test_nothing_goes_in_the_clear_to_a_server_without_starttls(camera: Camera) -> None:
    with mail_server() as (box, port), pytest.raises(ActionFailed, match="STARTTLS"):
        await mailer(camera, port, security="starttls", user="u", password=PASSWORD).perform(
            GUARD, occasion()
        )
    assert box.messages == []
    assert box.users == []


async def test_the_server_gets_user_and_password(camera: Camera, pem: Path) -> None:
    with mail_server(pem, security="starttls", needs_login=True) as (box, port):
        sender = mailer(camera, port, security="starttls", verify_tls=False, user="nvr", password=PASSWORD)
        await sender.perform(GUARD, occasion())
    assert box.users == ["nvr"]
    assert len(box.messages) == 1


async def test_a_wrong_password_is_final_and_is_not_repeated(camera: Camera, pem: Path) -> None:
    with mail_server(pem, security="starttls", needs_login=True) as (_, port):
        sender = mailer(
            camera, port, security="starttls", verify_tls=False, user="nvr", password="wrong-secret"
        )
        with pytest.raises(ActionFailed, match="does not accept user and password") as failed:
            await sender.perform(GUARD, occasion())
    assert failed.value.is_final
    assert "wrong-secret" not in str(failed.value)
    assert base64.b64encode(b"wrong-secret").decode() not in str(failed.value)


@pytest.mark.parametrize(("code", "is_final"), [("550 no such user", True), ("450 mailbox busy", False)])
async def test_a_refused_recipient_is_final_unless_the_server_says_later(
    camera: Camera, code: str, is_final: bool
) -> None:
    with mail_server() as (box, port):
        box.refused["guard@example.org"] = code
        with pytest.raises(ActionFailed, match=code[4:]) as failed:
            await mailer(camera, port).perform(GUARD, occasion())
    assert failed.value.is_final is is_final


async def test_one_refused_of_two_is_a_failure_that_says_who_and_the_other_has_its_mail(
    camera: Camera,
) -> None:
    action = msgspec.structs.replace(GUARD, to=("guard@example.org", "gone@example.org"))
    with mail_server() as (box, port):
        box.refused["gone@example.org"] = "550 no such user"
        with pytest.raises(ActionFailed, match=r"1 of 2.*gone@example\.org.*no such user") as failed:
            await mailer(camera, port).perform(action, occasion())
    assert failed.value.is_final
    assert box.envelopes[0].rcpt_tos == ["guard@example.org"]


@pytest.mark.parametrize(("answer", "is_final"), [("554 spam", True), ("451 try later", False)])
async def test_a_refused_content_is_final_unless_the_server_says_later(
    camera: Camera, answer: str, is_final: bool
) -> None:
    with mail_server() as (box, port):
        box.data_answers = [answer]
        with pytest.raises(ActionFailed, match=answer[4:]) as failed:
            await mailer(camera, port).perform(GUARD, occasion())
    assert failed.value.is_final is is_final


async def test_a_server_that_is_not_there_is_tried_again(camera: Camera) -> None:
    with mail_server() as (_, port):
        pass
    with pytest.raises(ActionFailed, match="not reached") as failed:
        await mailer(camera, port).perform(GUARD, occasion())
    assert not failed.value.is_final


async def test_a_server_that_says_nothing_is_given_up_at_the_deadline(camera: Camera) -> None:
    catalog = ActionCatalog()
    with silent_server() as port:
        runner = ActionRunner(
            {MailAction: mailer(camera, port).perform},
            catalog,
            FakeClock(),
            station=lambda: "gate house",
            rules={MailAction: LaneRules(workers=1, queue_limit=1, deadline_s=0.2)},
        )
        (result,) = await runner.run_now(alarm_row(), (GUARD,), "door opened")
    assert (result.state, result.tries) == ("failed", 1)
    assert "no answer" in result.text


async def test_without_a_mail_server_the_result_says_where_to_give_one(camera: Camera) -> None:
    with pytest.raises(ActionFailed, match="no mail server is set up") as failed:
        await Mailer(ActionCatalog(), FakeClock(), camera).perform(GUARD, occasion())
    assert failed.value.is_final


async def test_the_mail_about_a_dead_system_drive_goes_out_with_the_settings_known_before(
    camera: Camera,
) -> None:
    with mail_server() as (box, port):
        sender = mailer(camera, port)
        await sender.remember()
        catalog = sender._catalog
        assert isinstance(catalog, ActionCatalog)
        catalog.is_broken = True
        await sender.perform(GUARD, occasion())
    assert len(box.messages) == 1


async def test_the_test_mail_is_a_result_whether_it_works_or_not(camera: Camera) -> None:
    with mail_server() as (box, port):
        sender = mailer(camera, port)
        good = await sender.test("admin@example.org", "gate house")
        box.refused["admin@example.org"] = "550 no"
        bad = await sender.test("admin@example.org", "gate house")
    assert (good.state, good.action) == ("done", "mail to admin@example.org")
    assert box.messages[0]["Subject"] == "gate house: test mail"
    assert (bad.state, "550" in bad.text) == ("failed", True)
    with pytest.raises(InvalidInput):
        await sender.test("admin@example.org\nBcc: all@example.org", "gate house")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80), source=st.text(max_size=80), rule=st.text(max_size=80))
def test_nothing_an_event_says_becomes_a_header(camera: Camera, text: str, source: str, rule: str) -> None:
    action = msgspec.structs.replace(GUARD, subject="{alarm} {source}\r\nBcc: all@example.org", body="{text}")
    sender = mailer(camera, 25)
    values = occasion(text=text, source=source, rule=rule)
    from engine.alarms.actions import templates

    message = sender._message(
        MailSettings(host="h", sender="nvr@example.org"),
        action.to,
        templates.parse(action.subject).render(values.values()),
        templates.parse(action.body).render(values.values()),
        None,
    )
    head = message.as_bytes().split(b"\r\n\r\n", 1)[0]
    names = {line.split(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"}
    assert names <= {
        b"from", b"to", b"subject", b"date", b"message-id", b"auto-submitted",
        b"content-type", b"content-transfer-encoding", b"mime-version",
    }  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "",
        "guard",
        "@example.org",
        "a@b@c",
        "a b@example.org",
        "a@example.org\nBcc: x@y",
        "a@x,b@y",
        "<a@x>",
        "ä@x",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput):
        check_address(address, "$.to")


@pytest.mark.parametrize(
    "changes",
    [{"to": ()}, {"to": ("a@b",) * 51}, {"subject": "{nothing}"}, {"body": "{text"}],
)
def test_an_action_that_cannot_work_is_refused_when_it_is_saved(changes: dict[str, Any]) -> None:
    check_mail(GUARD)
    with pytest.raises(InvalidInput):
        check_mail(msgspec.structs.replace(GUARD, **changes))


@pytest.mark.parametrize("changes", [{"security": "ssl"}, {"sender": "me"}, {"host": "a b"}])
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    check_settings(MailSettings(host="mail.example.org", sender="NVR <nvr@example.org>"))
    with pytest.raises(InvalidInput):
        check_settings(MailSettings(**changes))
