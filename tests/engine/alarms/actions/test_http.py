"""Against a real HTTP server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms.actions.http import check_http, perform_http
from engine.alarms.actions.lanes import LaneRules
from engine.alarms.actions.runner import ActionRunner
from engine.alarms.actions.words import action_words
from engine.wire_alarm_rules import HttpAction
from storage.errors import ActionFailed, InvalidInput
from tests.engine.alarms.actions.alarm_row import AT_US, alarm_row, occasion
from tests.fakes.action_catalog import ActionCatalog
from tests.fakes.clock import FakeClock
from tests.fakes.http_receiver import Receiver
from tests.fakes.mail_server import server_context, silent_server
from tests.rtsp.server import make_certificate


async def test_a_post_carries_the_alarm_as_json(receiver: Receiver) -> None:
    answer = await perform_http(
        HttpAction(url=receiver.url(), headers=(("X-Key", "k-secret"),)),
        occasion(text='say "hi"\n', source="yard {text}"),
    )
    ((method, path, headers, body),) = receiver.requests
    assert (method, path, headers["Content-Type"]) == ("POST", "/hook", "application/json")
    assert json.loads(body) == {
        "alarm": "door opened",
        "source": "yard {text}",
        "text": 'say "hi"\n',
        "time_us": AT_US,
    }
    assert headers["X-Key"] == "k-secret"
    assert answer == f"127.0.0.1:{receiver.port} answers 200 OK"


async def test_a_get_has_its_values_encoded_and_no_content(receiver: Receiver) -> None:
    action = HttpAction(url=receiver.url("/io/{source}?say={text}&n={count}"), method="GET")
    await perform_http(action, occasion(source="../admin?x=1", text="a&b=c#d e%20"))
    ((method, path, headers, body),) = receiver.requests
    assert method == "GET"
    assert path == "/io/..%2Fadmin%3Fx=1?say=a%26b%3Dc%23d%20e%2520&n=1"
    assert "Content-Type" not in headers
    assert body == b""


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/x-www-form-urlencoded"])
async def test_other_contents_have_their_own_type(receiver: Receiver, content_type: str) -> None:
    action = HttpAction(url=receiver.url(), content="say={text:url}", content_type=content_type)
    await perform_http(action, occasion(text="a b&c=ä"))
    ((_, _, headers, body),) = receiver.requests
    assert (headers["Content-Type"], body) == (content_type, b"say=a%20b%26c%3D%C3%A4")


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_status_of_two_hundred_and_some_is_done(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert str(status) in await perform_http(HttpAction(url=receiver.url()), occasion())


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(400, True), (401, True), (404, True), (408, False), (429, False), (500, False), (503, False)],
)
async def test_other_statuses_fail_and_some_are_worth_another_try(
    receiver: Receiver, status: int, is_final: bool
) -> None:
    receiver.status = status
    with pytest.raises(ActionFailed, match=str(status)) as failed:
        await perform_http(HttpAction(url=receiver.url()), occasion())
    assert failed.value.is_final is is_final


async def test_a_redirect_on_the_same_host_is_followed_as_its_status_says(receiver: Receiver) -> None:
    receiver.redirects = {"/kept": (307, "/hook"), "/seen": (303, "/hook")}
    await perform_http(HttpAction(url=receiver.url("/kept")), occasion())
    await perform_http(HttpAction(url=receiver.url("/seen")), occasion())
    assert [(method, path) for method, path, _, _ in receiver.requests] == [
        ("POST", "/kept"),
        ("POST", "/hook"),
        ("POST", "/seen"),
        ("GET", "/hook"),
    ]


async def test_a_redirect_loop_ends(receiver: Receiver) -> None:
    receiver.redirects = {"/a": (302, "/b"), "/b": (302, "/a")}
    with pytest.raises(ActionFailed, match="sends on more than 3 times"):
        await perform_http(HttpAction(url=receiver.url("/a")), occasion())
    assert len(receiver.requests) == 4


async def test_headers_and_content_are_not_taken_to_another_host(receiver: Receiver) -> None:
    receiver.redirects = {"/a": (307, f"http://localhost:{receiver.port}/hook")}
    action = HttpAction(url=receiver.url("/a"), headers=(("Authorization", "Bearer k-secret"),))
    with pytest.raises(ActionFailed, match="somewhere else") as failed:
        await perform_http(action, occasion())
    assert failed.value.is_final
    assert len(receiver.requests) == 1


async def test_of_a_huge_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    await perform_http(HttpAction(url=receiver.url("/flood")), occasion())
    assert receiver.sent_bytes < 32 * 1024 * 1024


async def test_a_server_that_says_nothing_ends_at_the_deadline() -> None:
    with silent_server() as port:
        runner = ActionRunner(
            {HttpAction: perform_http},
            ActionCatalog(),
            FakeClock(),
            station=lambda: "gate house",
            rules={HttpAction: LaneRules(workers=1, queue_limit=1, deadline_s=0.2)},
        )
        (result,) = await runner.run_now(
            alarm_row(), (HttpAction(url=f"http://127.0.0.1:{port}/"),), "door opened"
        )
    assert (result.state, "no answer" in result.text) == ("failed", True)


async def test_a_server_that_is_not_there_is_tried_again(receiver: Receiver) -> None:
    with silent_server() as port:
        pass
    with pytest.raises(ActionFailed, match="not reached") as failed:
        await perform_http(HttpAction(url=f"http://u:p-secret@127.0.0.1:{port}/k-secret"), occasion())
    assert not failed.value.is_final
    assert "secret" not in str(failed.value)


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Any) -> None:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(
        served, "127.0.0.1", 0, ssl=server_context(make_certificate(tmp_path))
    )
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(ActionFailed, match="certificate") as failed:
            await perform_http(HttpAction(url=f"https://127.0.0.1:{port}/"), occasion())
    assert failed.value.is_final


async def test_credentials_in_the_address_are_used_and_in_no_result(receiver: Receiver) -> None:
    url = f"http://guard:p-secret@127.0.0.1:{receiver.port}/hook?token=k-secret"
    action = HttpAction(url=url, headers=(("X-Key", "h-secret"),))
    answer = await perform_http(action, occasion())
    assert receiver.requests[0][2]["Authorization"].startswith("Basic ")
    receiver.status = 500
    with pytest.raises(ActionFailed) as failed:
        await perform_http(action, occasion())
    assert "secret" not in answer + str(failed.value) + action_words(action, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://a/"},
        {"url": "http:///path"},
        {"url": "http://{source}/"},
        {"url": "http://a{text}.example.org/"},
        {"url": "http://a:{count}/"},
        {"url": "http://a/{nothing}"},
        {"url": "http://a/ \n"},
        {"url": "http://[::1/"},
        {"url": "http://a:99999/"},
        {"method": "DELETE"},
        {"content": "{nothing}"},
        {"content_type": "json"},
        {"content_type": "text/plain\r\nX: y"},
        {"headers": (("X\n", "y"),)},
        {"headers": (("X", "y\r\nZ: z"),)},
        {"headers": (("Host", "other"),)},
        {"headers": (("X", "ä"),)},
    ],
)
def test_an_action_that_cannot_work_is_refused_when_it_is_saved(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_http(HttpAction(**{"url": "http://a/"} | changes))
    assert "secret" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_address_is_taken_or_refused_and_named_without_secrets(url: str) -> None:
    for address in (url, f"http://{url}", f"http://u:p-secret@{url}/?k-secret"):
        action = HttpAction(url=address)
        assert "secret" not in action_words(action, ()) or "secret" in url
        try:
            check_http(action)
        except InvalidInput:
            continue


def test_a_placeholder_in_the_credentials_is_no_place_of_a_template() -> None:
    check_http(HttpAction(url="http://guard:{password}@a/"))
