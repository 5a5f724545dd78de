"""A whole alarm, by command alone, on the real engine: rule, button, message from outside, list, triage, undo, restart, log."""

from __future__ import annotations

import asyncio
import csv
import json
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.state_folder import CATALOG_NAME
from engine.wire_alarms import AlarmCounts, AlarmRaised
from tests.e2e.engine_process import EngineProcess, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[EngineProcess]:
    process = EngineProcess(tmp_path / "state")
    await process.start()
    yield process
    await process.end()


async def watchdeck(engine: EngineProcess, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui", "--socket", str(engine.socket), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def document(engine: EngineProcess, *arguments: str) -> Any:
    """Of a command that must succeed."""
    code, out, err = await watchdeck(engine, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


async def listed(engine: EngineProcess, count: int, *filters: str) -> list[dict[str, Any]]:
    """The list once it has so many rows: events become alarms within a quarter of a second."""

    async def ask() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await document(engine, "alarm", "list", *filters))["alarms"]
        return found

    return await eventually(ask, lambda rows: len(rows) == count, f"{count} alarms", timeout_s=60)


async def test_alarms_are_raised_handled_and_proven_across_stops_and_kills(
    engine: EngineProcess, tmp_path: Path
) -> None:
    panic = ("alarm", "rule", "add", "Panic", "--on", "external.virtual", "--source", "panic")
    added = await document(engine, *panic, "--severity", "critical", "--retrigger", "0", "--sound", "5")
    assert added["actions"] == [{"type": "sound", "pattern": 5, "where": "console"}]
    for text in ("front desk", "back door", "front desk"):
        assert (await watchdeck(engine, "trigger", "panic", "--text", text))[0] == 0
    rows = await listed(engine, 3)
    assert {(row["rule"], row["source"], row["severity"], row["sound"]) for row in rows} == {
        ("Panic", "panic", "critical", 5)
    }
    ids = [str(row["id"]) for row in rows]
    assert (await document(engine, "alarm", "ack", ids[0], "--comment", "on my way"))["changed"] == 1
    done = await document(engine, "alarm", "false", "--text", "back door")
    assert (done["changed"], done["what"]) == (1, "1 alarm: false alarm")

    # An ordered stop, then the second half: everything is still there, and so is what can be undone.
    assert engine.stop() == 0
    await engine.start()
    rows = await listed(engine, 2)
    assert [row["status"] for row in rows] == ["in_progress", "new"]
    assert rows[0]["comment"] == "on my way"
    assert (await document(engine, "alarm", "undo"))["changed"] == 1
    assert len(await listed(engine, 3)) == 3
    assert (await document(engine, "alarm", "mute", "--all", "--minutes", "5"))["changed"] == 3
    assert await listed(engine, 0) == []

    # The plug is pulled: alarms and history are as they were answered.
    engine.kill()
    await engine.start()
    assert len(await listed(engine, 3, "--muted")) == 3
    detail = await document(engine, "alarm", "show", ids[1])
    assert [(step["what"], step["is_undone"]) for step in detail["steps"]] == [
        ("status", True),
        ("undo", False),
        ("mute", False),
    ]
    await document(engine, "trigger", "panic")
    assert len(await listed(engine, 1)) == 1
    file = tmp_path / "alarms.csv"
    await document(engine, "alarm", "export", "--status", "any", "--muted", "-o", str(file))
    assert len(list(csv.reader(file.read_text().splitlines()))) == 5


async def test_who_did_what_is_kept_and_a_change_of_it_is_found(engine: EngineProcess) -> None:
    await document(engine, "group", "add", "yard")
    assert (await watchdeck(engine, "group", "remove", "nobody"))[0] == 3
    await document(engine, "schedule", "set", "night", "22:00-06:00")
    found = await document(engine, "log", "verify")
    assert (found["is_whole"], found["checked"]) == (True, 3)
    entries = (await document(engine, "log", "--category", "operation"))["entries"]
    assert [(each["type"], each["source"], each["is_success"]) for each in entries] == [
        ("group.add", "yard", True),
        ("group.remove", "nobody", False),
        ("schedule.set", "night", True),
    ]
    assert engine.stop() == 0
    with sqlite3.connect(engine.state / CATALOG_NAME) as catalog:
        catalog.execute("DROP TRIGGER operation_not_edited")
        catalog.execute("UPDATE operation SET actor = 'somebody else' WHERE id = 2")
    catalog.close()
    await engine.start()
    code, out, _ = await watchdeck(engine, "log", "verify")
    assert code == 1
    assert "NOT WHOLE" in out


async def test_a_message_from_outside_is_an_alarm_that_consoles_hear_of(
    engine: EngineProcess, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    await document(engine, "listen", "set", "--tcp-port", str(port))
    fire = ("--on", "external.tcp_message", "--message", "FIRE", "--severity", "critical")
    await document(engine, "alarm", "rule", "add", "Fire", *fire)

    async def is_open() -> bool:
        return bool((await document(engine, "listen", "show"))["state"]["is_tcp_open"])

    await eventually(is_open, bool, "the port is open", timeout_s=60)
    client = engine.another_client()
    stream = client.stream()
    await anext(stream)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hall: fire detector 7\n")
    await writer.drain()
    async with asyncio.timeout(60):
        async for message in stream:
            if isinstance(message, AlarmRaised):
                break
    assert (message.alarm.rule, message.alarm.text) == ("Fire", "hall: fire detector 7")
    await stream.aclose()
    writer.close()
    await writer.wait_closed()
    counts: AlarmCounts = await client.alarm_counts()
    assert (counts.new, counts.critical) == (1, 1)
    (heard,) = (await document(engine, "listen", "show"))["state"]["heard"]
    assert heard["matched"] == ["Fire"]
