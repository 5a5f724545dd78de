"""A recorded pull session of a real camera, given back byte for byte in the order it was recorded."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from lxml import etree

from tests.fakes.clock import FakeClock
from tests.fakes.onvif_camera import TOKEN_WINDOW_US, envelope, fault

CREATE, PULL, RENEW = "CreatePullPointSubscription", "PullMessages", "Renew"


def time_us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def read_transcript(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def operation_of(row: dict[str, Any]) -> str:
    return str(row["soap_action"]).rpartition("/")[2].removesuffix("Request")


def clock_offset_us(rows: list[dict[str, Any]]) -> int:
    """The camera's clock minus the recorder's; 0 when the camera never told."""
    for row in rows:
        if (told := re.search(r"CurrentTime>([^<]+)<", row["response"] or "")) is not None:
            return time_us(told[1]) - time_us(row["timestamp"])
    return 0


class TranscriptCamera:
    """What is asked out of order is answered as the camera would: a pull where it was subscribed to anew ends the subscription, a
    renewal gets the next one recorded. Time passes as it did. At the end, requests are left without an answer."""

    def __init__(self, rows: list[dict[str, Any]], clock: FakeClock) -> None:
        self._rows = rows
        self._renewals = [row for row in rows if operation_of(row) == RENEW]
        self._next = 0
        self._clock = clock
        self._offset_us = clock_offset_us(rows)
        self._is_over = asyncio.Event()
        self.port = 0
        self.asked: list[str] = []
        self.late_tokens: list[str] = []
        """Created times that this camera, with its clock, would not have taken."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *args: object) -> None:
        await self._runner.cleanup()

    async def over(self) -> None:
        """Everything recorded was given out."""
        await self._is_over.wait()

    async def _serve(self, request: web.Request) -> web.Response:
        root = etree.fromstring(await request.read())
        operation = etree.QName(root.find("{*}Body")[0]).localname  # type: ignore[index]
        self.asked.append(operation)
        self._check_token(root)
        match operation:
            case "GetSystemDateAndTime":
                return _xml(self._time())
            case "GetServices":
                url = next(row["url"] for row in self._rows if operation_of(row) == CREATE)
                return _xml(
                    envelope(
                        "<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl"
                        f"</tds:Namespace><tds:XAddr>{url}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>0"
                        "</tt:Minor></tds:Version></tds:Service></tds:GetServicesResponse>"
                    )
                )
            case "Renew" if self._renewals:
                return _row(self._renewals.pop(0))
            case "CreatePullPointSubscription" | "PullMessages":
                return await self._recorded(operation)
        return _xml(fault("ter:ActionNotSupported"), 400)

    async def _recorded(self, operation: str) -> web.Response:
        while self._next < len(self._rows) and operation_of(self._rows[self._next]) not in (CREATE, PULL):
            self._next += 1
        if self._next == len(self._rows):
            self._is_over.set()
            await asyncio.Event().wait()
        row = self._rows[self._next]
        if operation_of(row) != operation:
            return _xml(fault("wsrf-rw:ResourceUnknownFault"), 400)
        self._next += 1
        self._clock.advance(max(0, time_us(row["timestamp"]) - self._clock.now_us()))
        return _row(row)

    def _check_token(self, root: etree._Element) -> None:
        created = root.find(".//{*}Created")
        if created is None or created.text is None:
            return
        distance_us = time_us(created.text) - (self._clock.now_us() + self._offset_us)
        if abs(distance_us) > TOKEN_WINDOW_US:
            self.late_tokens.append(created.text)

    def _time(self) -> bytes:
        now = datetime.fromtimestamp((self._clock.now_us() + self._offset_us) / 1e6, UTC)
        return envelope(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )


def _row(row: dict[str, Any]) -> web.Response:
    content = (row["response"] or "").encode()
    is_html = content.lstrip().lower().startswith((b"<html", b"<!doctype html"))
    return web.Response(
        body=content,
        status=row["response_status"],
        content_type="text/html" if is_html else "application/soap+xml",
        charset="utf-8",
    )


def _xml(content: bytes, status: int = 200) -> web.Response:
    return web.Response(body=content, status=status, content_type="application/soap+xml", charset="utf-8")
