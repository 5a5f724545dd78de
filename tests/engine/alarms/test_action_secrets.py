"""Secrets are never shown, stay where they were, and never go to another host."""

from __future__ import annotations

import msgspec
import pytest

from engine.alarms.action_secrets import masked_actions, masked_url, restored_actions
from engine.wire_alarm_rules import HttpAction, MailAction, PushAction
from storage.camera_url import PLACEHOLDER
from storage.errors import InvalidInput

HTTP = HttpAction(
    url="https://ada:hush@hooks.example.org/in?token=zzz&floor=2",
    headers=(("Authorization", "Bearer sesame"), ("X-Key", "open")),
)
PUSH = PushAction(url="tgram://123456:AAE/4711")
MAIL = MailAction(to=("guard@example.org",))
SECRETS = ("hush", "zzz", "sesame", "open", "123456", "4711")


def test_nothing_secret_is_shown() -> None:
    shown = msgspec.json.encode(masked_actions([HTTP, PUSH, MAIL])).decode()
    assert not [secret for secret in SECRETS if secret in shown]
    assert "ada:" in shown
    assert "floor=2" in shown
    assert "guard@example.org" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://plain.example.org/x", "http://plain.example.org/x"),
        ("http://token@example.org/x", f"http://{PLACEHOLDER}@example.org/x"),
        ("http://a:p%40@example.org", f"http://a:{PLACEHOLDER}@example.org"),
        ("http://a:p@ss@example.org/", f"http://a:{PLACEHOLDER}@example.org/"),
        ("http://example.org?apikey=1#x@y", f"http://example.org?apikey={PLACEHOLDER}#x@y"),
    ],
)
def test_credentials_are_hidden_wherever_an_address_holds_them(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_what_is_given_back_as_it_was_shown_stays() -> None:
    before = (HTTP, PUSH, MAIL)
    assert restored_actions(masked_actions(before), before) == before


def test_secrets_follow_their_action_to_another_place() -> None:
    before = (HTTP, MAIL, PUSH)
    shown = masked_actions(before)
    assert restored_actions((shown[2], shown[0]), before) == (PUSH, HTTP)


def test_other_parts_may_change_while_the_secret_stays() -> None:
    (shown,) = masked_actions([HTTP])
    edited = msgspec.structs.replace(shown, content="new", url="https://hooks.example.org/other")
    (restored,) = restored_actions([edited], [HTTP])
    assert (restored.content, restored.url) == ("new", "https://hooks.example.org/other")
    assert restored.headers == HTTP.headers


@pytest.mark.parametrize(
    "edited",
    [
        HttpAction(url="https://evil.example.org/", headers=(("Authorization", PLACEHOLDER),)),
        HttpAction(url=f"https://ada:{PLACEHOLDER}@evil.example.org/in?token={PLACEHOLDER}&floor=2"),
        HttpAction(url=f"https://ada:{PLACEHOLDER}@hooks.example.org/another"),
        HttpAction(url="http://hooks.example.org/in", headers=(("Authorization", PLACEHOLDER),)),
        HttpAction(url="https://hooks.example.org/in", headers=(("X-Other", PLACEHOLDER),)),
        PushAction(url=f"ntfy://{PLACEHOLDER}"),
    ],
)
def test_a_secret_goes_nowhere_but_where_it_was(edited: HttpAction | PushAction) -> None:
    with pytest.raises(InvalidInput) as error:
        restored_actions([edited], [HTTP, PUSH])
    assert not [secret for secret in SECRETS if secret in str(error.value)]


def test_a_placeholder_in_a_new_rule_stands_for_nothing() -> None:
    with pytest.raises(InvalidInput, match="not known"):
        restored_actions(masked_actions([PUSH]), ())


def test_of_two_that_look_the_same_nobody_guesses_which_one_was_left_out() -> None:
    other = msgspec.structs.replace(PUSH, url="tgram://999:BBB/1")
    shown = masked_actions([PUSH, other])
    assert restored_actions(shown, [PUSH, other]) == (PUSH, other)
    with pytest.raises(InvalidInput):
        restored_actions(shown[:1], [PUSH, other])
