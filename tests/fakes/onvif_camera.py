"""An ONVIF camera on a real socket, with a clock, subscriptions and moods of its own. Ours: no line of a real camera's reply is in it.

It is as strict as the specification where that is what is tested (tokens within five seconds of its own clock, each nonce once), and
as bad as cameras are where a test asks for it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from aiohttp import web
from lxml import etree

from storage.clock import Clock

_NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" '
    'xmlns:tmd="http://www.onvif.org/ver10/deviceIO/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:ter="http://www.onvif.org/ver10/error" '
    'xmlns:wsrf-rw="http://docs.oasis-open.org/wsrf/rw-2" xmlns:tns1="http://www.onvif.org/ver10/topics"'
)
TOKEN_WINDOW_US = 5_000_000


def envelope(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><s:Envelope {_NAMESPACES}><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault(*subcodes: str, reason: str = "", detail: str = "") -> bytes:
    inner = ""
    for code in reversed(subcodes):
        inner = f"<s:Subcode><s:Value>{code}</s:Value>{inner}</s:Subcode>"
    held = f"<s:Detail>{detail}</s:Detail>" if detail else ""
    return envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value>{inner}</s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason>{held}</s:Fault>'
    )


def message(
    topic: str,
    operation: str,
    source: dict[str, str],
    data: dict[str, str],
    utc: str = "2026-01-01T00:00:00Z",
) -> str:
    def items(part: str, values: dict[str, str]) -> str:
        held = "".join(f'<tt:SimpleItem Name="{name}" Value="{value}"/>' for name, value in values.items())
        return f"<tt:{part}>{held}</tt:{part}>" if values else ""

    told = f' PropertyOperation="{operation}"' if operation else ""
    return (
        '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f'{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="{utc}"{told}>'
        f"{items('Source', source)}{items('Data', data)}</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


@dataclass(slots=True)
class Asked:
    """A request as the camera saw it."""

    operation: str
    path: str
    body: etree._Element
    created: str = ""

    def text(self, name: str) -> str:
        found = self.body.find(f".//{{*}}{name}")
        return (found.text or "") if found is not None else ""


@dataclass(slots=True)
class Subscription:
    ends_us: int
    waiting: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


class FakeOnvifCamera:
    """`async with FakeOnvifCamera(clock) as camera:`; then `camera.port`, and its moods as attributes."""

    def __init__(
        self, clock: Clock, *, clock_offset_us: int = 0, user: str = "ada", password: str = "pw"
    ) -> None:
        self.clock = clock
        self.clock_offset_us = clock_offset_us
        self.user = user
        self.password = password
        self.port = 0
        self.asked: list[Asked] = []
        self.subscriptions: dict[int, Subscription] = {}
        self.states: dict[tuple[str, str], str] = {}
        """What a new subscription is told as Initialized."""
        self.subscriptions_limit = 5
        self.creates_refused = 0
        """So many CreatePullPointSubscription are answered with HTTP 400."""
        self.renews: Callable[[str], bool] = lambda asked: True
        """Whether it takes this TerminationTime in a Renew."""
        self.creates: Callable[[str], bool] = lambda asked: True
        self.granted_s: Callable[[str], float] = lambda asked: 120.0
        self.pull_extends = True
        self.announces = ""
        """Host and port in addresses; empty = the truth."""
        self.references = ""
        """XML in ReferenceParameters, which every request has to repeat."""
        self.wants_http_digest = False
        self.has_get_services = True
        self.max_pull_s: int | None = None
        self.hangs = asyncio.Event()
        self.hangs.set()
        """Cleared: it takes requests and answers none."""
        self.hangs_at = ""
        """Only at this operation; empty = at all."""
        self.answer: bytes | None = None
        """Sent instead of every reply but the one about time."""
        self.answer_status = 200
        self.holds_pulls = False
        """True: a pull waits for something to tell; else it returns at once, as if its time had passed."""
        self.topics = ""
        """XML of its topic set; empty = it announces none."""
        self.presets = {"1": "gate", "2": "yard"}
        self.outputs = {"relay0": "inactive"}
        self.inputs = ("in0", "in1")
        self.positions: list[str] = []
        self.unsubscribed = 0
        self._numbers = itertools.count(1)
        self._nonces: set[str] = set()
        self._moved = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    # -- the socket ----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *args: object) -> None:
        self.hangs.set()
        await self.stop()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        if self._runner is not None:
            for subscription in self.subscriptions.values():
                subscription.arrived.set()
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/onvif/device_service"

    # -- what tests do with it -----------------------------------------------------------------------------

    def now_us(self) -> int:
        return self.clock.now_us() + self.clock_offset_us

    def say(self, topic: str, operation: str, source: dict[str, str], data: dict[str, str]) -> None:
        """To every subscription that lives; remembered for those to come when it is a state."""
        if operation == "Changed":
            self.states[(topic, repr(source))] = message(topic, "Initialized", source, data)
        for subscription in self.subscriptions.values():
            subscription.waiting.append(message(topic, operation, source, data))
            subscription.arrived.set()

    def reboot(self) -> None:
        """It forgets its subscriptions, not its settings."""
        for subscription in self.subscriptions.values():
            subscription.arrived.set()
        self.subscriptions.clear()

    def count(self, operation: str) -> int:
        return sum(asked.operation == operation for asked in self.asked)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looked at after each request."""
        async with self._moved:
            await self._moved.wait_for(condition)

    # -- requests ------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.Response:
        content = await request.read()
        root = etree.fromstring(content)
        body = root.find("{*}Body")
        assert body is not None
        operation = etree.QName(body[0]).localname
        created = root.find(".//{*}Created")
        asked = Asked(operation, request.path_qs, root, (created.text or "") if created is not None else "")
        self.asked.append(asked)
        async with self._moved:
            self._moved.notify_all()
        if self.hangs_at in ("", operation):
            await self.hangs.wait()
        if self.wants_http_digest and not self._is_digest_good(request):
            challenge = 'Digest realm="camera", qop="auth", nonce="abc", algorithm=MD5'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if operation == "GetSystemDateAndTime":
            return _xml(self._time())
        if self.answer is not None:
            return _xml(self.answer, self.answer_status)
        if not self._is_token_good(root):
            return _xml(fault("ter:NotAuthorized", reason="Sender not authorized"), 400)
        if asked.path.startswith("/pull") and not self._is_meant(root):
            return _xml(fault("ter:InvalidArgVal", reason="which subscription?"), 400)
        answer: tuple[bytes, int] = await getattr(self, f"_{operation}", self._unknown)(asked)
        return _xml(*answer)

    def _is_token_good(self, root: etree._Element) -> bool:
        if not self.user:
            return True
        found = {
            etree.QName(element).localname: element.text or ""
            for element in root.iterfind(".//{*}UsernameToken/*")
        }
        if found.get("Username") != self.user or found["Nonce"] in self._nonces:
            return False
        self._nonces.add(found["Nonce"])
        digest = hashlib.sha1(
            base64.b64decode(found["Nonce"]) + found["Created"].encode() + self.password.encode()
        ).digest()
        created = datetime.strptime(found["Created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        is_fresh = abs(created.timestamp() * 1e6 - self.now_us()) <= TOKEN_WINDOW_US
        return is_fresh and found["Password"] == base64.b64encode(digest).decode()

    def _is_meant(self, root: etree._Element) -> bool:
        """The reference parameters are in the header again (WS-Addressing 1.0 SOAP Binding, 3.4)."""
        if not self.references:
            return True
        wanted = etree.fromstring(self.references)
        return root.findtext(f"{{*}}Header/{wanted.tag}") == wanted.text

    def _is_digest_good(self, request: web.Request) -> bool:
        told = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers.get("Authorization", "")))
        if told.get("username") != self.user:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        secret, action = md5(f"{self.user}:camera:{self.password}"), md5(f"{request.method}:{told['uri']}")
        return told["response"] == md5(f"{secret}:abc:{told['nc']}:{told['cnonce']}:auth:{action}")

    async def _unknown(self, asked: Asked) -> tuple[bytes, int]:
        return fault("ter:ActionNotSupported", reason=f"no {asked.operation}"), 500

    # -- the device ----------------------------------------------------------------------------------------

    def _time(self) -> bytes:
        now = datetime.fromtimestamp(self.now_us() / 1e6, UTC)
        return envelope(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _address(self, path: str) -> str:
        return f"http://{self.announces or f'127.0.0.1:{self.port}'}{path}"

    async def _GetServices(self, asked: Asked) -> tuple[bytes, int]:
        if not self.has_get_services:
            return await self._unknown(asked)
        services = "".join(
            f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{self._address(path)}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
            for namespace, path in (
                ("http://www.onvif.org/ver10/device/wsdl", "/onvif/device_service"),
                ("http://www.onvif.org/ver10/events/wsdl", "/onvif/events"),
                ("http://www.onvif.org/ver20/ptz/wsdl", "/onvif/ptz"),
                ("http://www.onvif.org/ver10/media/wsdl", "/onvif/media"),
                ("http://www.onvif.org/ver10/deviceIO/wsdl", "/onvif/io"),
            )
        )
        return envelope(f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"), 200

    async def _GetCapabilities(self, asked: Asked) -> tuple[bytes, int]:
        return envelope(
            "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events>"
            f"<tt:XAddr>{self._address('/onvif/events')}</tt:XAddr><tt:WSSubscriptionPolicySupport>false"
            "</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
            "<tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>"
            "</tt:Events></tds:Capabilities></tds:GetCapabilitiesResponse>"
        ), 200

    async def _GetEventProperties(self, asked: Asked) -> tuple[bytes, int]:
        if not self.topics:
            return await self._unknown(asked)
        return envelope(
            '<tev:GetEventPropertiesResponse><wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1">'
            f"{self.topics}</wstop:TopicSet></tev:GetEventPropertiesResponse>"
        ), 200

    # -- events --------------------------------------------------------------------------------------------

    def _times(self, ends_us: int, prefix: str) -> str:
        now, end = (
            datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            for us in (self.now_us(), ends_us)
        )
        return f"<{prefix}:CurrentTime>{now}</{prefix}:CurrentTime><{prefix}:TerminationTime>{end}</{prefix}:TerminationTime>"

    async def _CreatePullPointSubscription(self, asked: Asked) -> tuple[bytes, int]:
        wanted = asked.text("InitialTerminationTime")
        if self.creates_refused > 0:
            self.creates_refused -= 1
            return fault("ter:BlockedThreadUpperLimit"), 400
        if not self.creates(wanted):
            return fault("wsnt:UnacceptableInitialTerminationTimeFault"), 400
        self._expire()
        if len(self.subscriptions) >= self.subscriptions_limit:
            return fault("ter:MaxPullPoints", reason="no more subscriptions"), 500
        number = next(self._numbers)
        ends_us = self.now_us() + round(self.granted_s(wanted) * 1e6)
        self.subscriptions[number] = Subscription(ends_us, list(self.states.values()))
        references = (
            f"<wsa:ReferenceParameters>{self.references}</wsa:ReferenceParameters>" if self.references else ""
        )
        return envelope(
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
            f"<wsa:Address>{self._address(f'/pull?id={number}')}</wsa:Address>{references}</tev:SubscriptionReference>"
            f"{self._times(ends_us, 'wsnt')}</tev:CreatePullPointSubscriptionResponse>"
        ), 200

    def _expire(self) -> None:
        for number in [
            n for n, subscription in self.subscriptions.items() if subscription.ends_us < self.now_us()
        ]:
            del self.subscriptions[number]

    def _subscription(self, asked: Asked) -> tuple[int, Subscription | None]:
        self._expire()
        number = int(asked.path.partition("id=")[2] or 0)
        return number, self.subscriptions.get(number)

    async def _PullMessages(self, asked: Asked) -> tuple[bytes, int]:
        number, subscription = self._subscription(asked)
        if subscription is None:
            return fault("wsrf-rw:ResourceUnknownFault", reason="no such subscription"), 400
        seconds = float(asked.text("Timeout").removeprefix("PT").removesuffix("S"))
        if self.max_pull_s is not None and seconds > self.max_pull_s:
            limits = (
                f"<tev:PullMessagesFaultResponse><tev:MaxTimeout>PT{self.max_pull_s}S</tev:MaxTimeout>"
                "<tev:MaxMessageLimit>10</tev:MaxMessageLimit></tev:PullMessagesFaultResponse>"
            )
            return fault("ter:InvalidArgVal", reason="too long", detail=limits), 400
        if self.holds_pulls and not subscription.waiting:
            await subscription.arrived.wait()
            if self.subscriptions.get(number) is not subscription:
                return fault("wsrf-rw:ResourceUnknownFault", reason="rebooted"), 400
        if self.pull_extends:
            subscription.ends_us = max(subscription.ends_us, self.now_us() + 60_000_000)
        subscription.arrived.clear()
        limit = int(asked.text("MessageLimit"))
        told, subscription.waiting = subscription.waiting[:limit], subscription.waiting[limit:]
        return envelope(
            f"<tev:PullMessagesResponse>{self._times(subscription.ends_us, 'tev')}{''.join(told)}</tev:PullMessagesResponse>"
        ), 200

    async def _Renew(self, asked: Asked) -> tuple[bytes, int]:
        _, subscription = self._subscription(asked)
        if subscription is None:
            return fault("wsrf-rw:ResourceUnknownFault", reason="no such subscription"), 400
        wanted = asked.text("TerminationTime")
        if not self.renews(wanted):
            return fault("wsnt:UnacceptableTerminationTimeFault"), 400
        subscription.ends_us = self.now_us() + round(self.granted_s(wanted) * 1e6)
        return envelope(
            f"<wsnt:RenewResponse>{self._times(subscription.ends_us, 'wsnt')}</wsnt:RenewResponse>"
        ), 200

    async def _Unsubscribe(self, asked: Asked) -> tuple[bytes, int]:
        number, subscription = self._subscription(asked)
        if subscription is None:
            return fault("wsrf-rw:ResourceUnknownFault"), 400
        del self.subscriptions[number]
        self.unsubscribed += 1
        return envelope("<wsnt:UnsubscribeResponse/>"), 200

    # -- presets, outputs, inputs --------------------------------------------------------------------------

    async def _GetProfiles(self, asked: Asked) -> tuple[bytes, int]:
        return envelope(
            '<trt:GetProfilesResponse><trt:Profiles token="p0"><tt:Name>fixed</tt:Name></trt:Profiles>'
            '<trt:Profiles token="p1"><tt:Name>head</tt:Name><tt:PTZConfiguration token="c"><tt:Name>c</tt:Name>'
            "<tt:UseCount>1</tt:UseCount><tt:NodeToken>n</tt:NodeToken></tt:PTZConfiguration></trt:Profiles></trt:GetProfilesResponse>"
        ), 200

    async def _GetPresets(self, asked: Asked) -> tuple[bytes, int]:
        if asked.text("ProfileToken") != "p1":
            return fault("ter:InvalidArgVal", "ter:NoProfile"), 400
        presets = "".join(
            f'<tptz:Preset token="{token}"><tt:Name>{name}</tt:Name></tptz:Preset>'
            for token, name in self.presets.items()
        )
        return envelope(f"<tptz:GetPresetsResponse>{presets}</tptz:GetPresetsResponse>"), 200

    async def _GotoPreset(self, asked: Asked) -> tuple[bytes, int]:
        self.positions.append(asked.text("PresetToken"))
        return envelope("<tptz:GotoPresetResponse/>"), 200

    async def _GetRelayOutputs(self, asked: Asked) -> tuple[bytes, int]:
        outputs = "".join(
            f'<tds:RelayOutputs token="{token}"><tt:Properties><tt:Mode>Bistable</tt:Mode><tt:DelayTime>PT1S</tt:DelayTime>'
            "<tt:IdleState>open</tt:IdleState></tt:Properties></tds:RelayOutputs>"
            for token in self.outputs
        )
        return envelope(f"<tds:GetRelayOutputsResponse>{outputs}</tds:GetRelayOutputsResponse>"), 200

    async def _SetRelayOutputState(self, asked: Asked) -> tuple[bytes, int]:
        self.outputs[asked.text("RelayOutputToken")] = asked.text("LogicalState")
        return envelope("<tds:SetRelayOutputStateResponse/>"), 200

    async def _GetDigitalInputs(self, asked: Asked) -> tuple[bytes, int]:
        inputs = "".join(f'<tmd:DigitalInputs token="{token}"/>' for token in self.inputs)
        return envelope(f"<tmd:GetDigitalInputsResponse>{inputs}</tmd:GetDigitalInputsResponse>"), 200


def _xml(content: bytes, status: int = 200) -> web.Response:
    return web.Response(body=content, status=status, content_type="application/soap+xml", charset="utf-8")
