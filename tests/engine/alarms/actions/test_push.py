"""Apprise for real, against a real HTTP receiver."""

from __future__ import annotations

import json

import msgspec
import pytest

from engine.alarms.actions.push import Pusher, check_push
from engine.wire_alarm_rules import PushAction
from storage.errors import ActionFailed, InvalidInput
from tests.engine.alarms.actions.alarm_row import occasion
from tests.fakes.http_receiver import Receiver


def push_to(receiver: Receiver, rest: str = "/k-secret") -> PushAction:
    return PushAction(url=f"json://guard:p-secret@127.0.0.1:{receiver.port}{rest}")


async def test_a_notification_arrives_with_its_words(receiver: Receiver) -> None:
    with Pusher() as pusher:
        answer = await pusher.perform(push_to(receiver), occasion(text="motion {text}"))
    ((method, path, _, body),) = receiver.requests
    assert (method, path) == ("POST", "/k-secret")
    said = json.loads(body)
    assert (said["title"], said["message"]) == ("door opened: yard", "motion {text}")
    assert answer == "taken by json"


async def test_a_service_that_refuses_is_a_failure_without_its_secrets(receiver: Receiver) -> None:
    receiver.status = 403
    with Pusher() as pusher, pytest.raises(ActionFailed, match="json did not take it") as failed:
        await pusher.perform(push_to(receiver), occasion())
    assert "secret" not in str(failed.value)


async def test_an_unknown_service_is_final_and_its_key_is_not_named() -> None:
    with Pusher() as pusher, pytest.raises(ActionFailed, match="knows no service `nosuch`") as failed:
        await pusher.perform(PushAction(url="nosuch://k-secret"), occasion())
    assert failed.value.is_final
    assert "secret" not in str(failed.value)


async def test_after_the_stop_a_push_is_refused() -> None:
    pusher = Pusher()
    pusher.close()
    with pytest.raises(ActionFailed, match="stopping"):
        await pusher.perform(PushAction(url="json://localhost"), occasion())


@pytest.mark.parametrize(
    "changes", [{"url": "token"}, {"url": "json://a b"}, {"title": "{nothing}"}, {"body": "{"}]
)
def test_an_action_that_cannot_work_is_refused_when_it_is_saved(changes: dict[str, str]) -> None:
    good = PushAction(url="ntfys://topic")
    check_push(good)
    with pytest.raises(InvalidInput) as refused:
        check_push(msgspec.structs.replace(good, **changes))
    assert "token" not in refused.value.what
