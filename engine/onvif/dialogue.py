"""Asking one camera: its clock, where its services are, and every request with a token in the camera's own time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.onvif.address import ServiceUrl, reachable
from engine.onvif.exchange import REQUEST_S, Exchange, HttpAccess, HttpReply
from engine.onvif.fault import SoapFault, as_error
from engine.onvif.workshop import SoapWorkshop
from storage.clock import Clock
from storage.errors import CameraError, CameraProtocolError, CameraUnsupported, InvalidInput, WatchdeckError

if TYPE_CHECKING:
    from engine.onvif.soap import PullReply, SubscriptionReply, Token

log = logging.getLogger(__name__)

EVENTS_NS = "http://www.onvif.org/ver10/events/wsdl"
PTZ_NS = "http://www.onvif.org/ver20/ptz/wsdl"
MEDIA_NS = "http://www.onvif.org/ver10/media/wsdl"
DEVICE_IO_NS = "http://www.onvif.org/ver10/deviceIO/wsdl"


@dataclass(frozen=True, slots=True)
class OnvifAccess:
    """How a camera is asked."""

    device: ServiceUrl
    user: str = ""
    password: str = ""
    verify_tls: bool = False


class CameraDialogue:
    """One camera's requests, one after the other or side by side. Loop only.

    Everything raises CameraError subclasses, or SoapFault where a caller has to look at the camera's reason.
    """

    def __init__(self, access: OnvifAccess, exchange: Exchange, workshop: SoapWorkshop, clock: Clock) -> None:
        self.device = access.device
        self.clock_offset_us = 0
        """The camera's clock minus ours."""
        self._access = access
        self._http = HttpAccess(access.user, access.password, access.verify_tls)
        self._exchange = exchange
        self._workshop = workshop
        self._clock = clock
        self._services: dict[str, ServiceUrl] = {}

    # -- getting to know each other ------------------------------------------------------------------------

    async def meet(self) -> None:
        """Learn the clock, then the services. Raises what keeps the camera from being asked anything."""
        await self.learn_clock()
        await self.learn_services()

    async def learn_clock(self) -> None:
        """GetSystemDateAndTime without a token, which would need what is asked for (ONVIF Core, 8.3.5). A camera that wants one
        all the same, or has no UTC to tell, is taken to have our time."""
        asked_us = self._clock.monotonic_us()
        try:
            reply = await self.call("devicemgmt", "GetSystemDateAndTime", self.device, has_token=False)
        except SoapFault:
            try:
                reply = await self.call("devicemgmt", "GetSystemDateAndTime", self.device)
            except SoapFault as fault:
                if fault.is_not_authorised:
                    raise as_error(fault, self.device.place, "its clock") from fault
                return
        half_us = (self._clock.monotonic_us() - asked_us) // 2
        camera_us = _utc_us(reply)
        if camera_us is not None:
            self.clock_offset_us = camera_us + half_us - self._clock.now_us()

    async def learn_services(self) -> None:
        """GetServices, else GetCapabilities, which older cameras know instead. Raises CameraRefused, CameraUnsupported …"""
        try:
            found = _services(
                await self.call("devicemgmt", "GetServices", self.device, {"IncludeCapability": False})
            )
        except (SoapFault, CameraProtocolError) as refused:
            if isinstance(refused, SoapFault) and refused.is_not_authorised:
                raise as_error(refused, self.device.place, "ONVIF") from refused
            found = {}
        if EVENTS_NS not in found:
            try:
                found = {
                    **_capabilities(
                        await self.call("devicemgmt", "GetCapabilities", self.device, {"Category": "All"})
                    ),
                    **found,
                }
            except SoapFault as fault:
                if not found:
                    raise as_error(fault, self.device.place, "ONVIF") from fault
            except CameraProtocolError:
                if not found:
                    raise
        self._services = {}
        for namespace, announced in found.items():
            try:
                self._services[namespace] = reachable(announced, self.device)
            except InvalidInput:
                log.debug("%s announces no address for %s", self.device.place, namespace)

    def service(self, namespace: str, offered: str) -> ServiceUrl:
        """Raises CameraUnsupported; `offered` is what the camera lacks, in words."""
        url = self._services.get(namespace)
        if url is None:
            raise CameraUnsupported(f"{self.device.place} offers no {offered} by ONVIF", "switch it off")
        return url

    async def announced_topics(self) -> tuple[str, ...]:
        """What its events service says it may tell. () when it does not say; never an error of its own."""
        try:
            url = self.service(EVENTS_NS, "events")
            reply = await self._send("events", "GetEventProperties", url, {}, True, (), REQUEST_S)
            return await self._workshop.run(
                lambda soap: soap.read_topics(reply.content, url.place, status=reply.status)
            )
        except (SoapFault, CameraError) as error:
            log.debug("%s announces no topics: %s", self.device.place, error)
            return ()

    # -- asking --------------------------------------------------------------------------------------------

    async def call(
        self,
        service: str,
        operation: str,
        url: ServiceUrl,
        params: Mapping[str, Any] | None = None,
        *,
        has_token: bool = True,
        references: tuple[bytes, ...] = (),
        deadline_s: float = REQUEST_S,
    ) -> Any:
        """A typed reply as the library reads it."""
        reply = await self._send(service, operation, url, params or {}, has_token, references, deadline_s)
        return await self._workshop.run(
            lambda soap: soap.read(service, operation, reply.content, url.place, status=reply.status)
        )

    async def subscribe(
        self,
        service: str,
        operation: str,
        url: ServiceUrl,
        params: Mapping[str, Any],
        references: tuple[bytes, ...] = (),
    ) -> SubscriptionReply:
        """CreatePullPointSubscription or Renew."""
        reply = await self._send(service, operation, url, params, True, references, REQUEST_S)
        return await self._workshop.run(
            lambda soap: soap.read_subscription(reply.content, url.place, status=reply.status)
        )

    async def pull(
        self, url: ServiceUrl, params: Mapping[str, Any], references: tuple[bytes, ...], deadline_s: float
    ) -> PullReply:
        reply = await self._send("pullpoint", "PullMessages", url, params, True, references, deadline_s)
        return await self._workshop.run(
            lambda soap: soap.read_pull(reply.content, url.place, status=reply.status)
        )

    async def _send(
        self,
        service: str,
        operation: str,
        url: ServiceUrl,
        params: Mapping[str, Any],
        has_token: bool,
        references: tuple[bytes, ...],
        deadline_s: float,
    ) -> HttpReply:
        user, password = self._access.user, self._access.password
        created_us = self.camera_now_us()

        def written(soap: Any) -> tuple[bytes, dict[str, str]]:
            token: Token | None = None
            if has_token and user:
                from engine.onvif.soap import Token

                token = Token(user, password, created_us)
            body: tuple[bytes, dict[str, str]] = soap.request(
                service, operation, url.text, params, token=token, references=references
            )
            return body

        body, headers = await self._workshop.run(written)
        return await self._exchange.post(url, body, headers, self._http, deadline_s=deadline_s)

    def camera_now_us(self) -> int:
        """By the camera's clock, as far as we know it."""
        return self._clock.now_us() + self.clock_offset_us


def mapped(error: SoapFault | WatchdeckError, place: str, asked: str) -> WatchdeckError:
    """For those who hand it on."""
    return as_error(error, place, asked) if isinstance(error, SoapFault) else error


def _utc_us(reply: Any) -> int | None:
    """Of GetSystemDateAndTime; None when the camera tells no UTC, or no date there is."""
    from datetime import UTC, datetime

    moment = getattr(reply, "UTCDateTime", None)
    try:
        date, time = moment.Date, moment.Time  # type: ignore[union-attr]
        # A leap second, and cameras that count to 60.
        told = datetime(
            date.Year,
            date.Month,
            date.Day,
            time.Hour % 24,
            min(time.Minute, 59),
            min(time.Second, 59),
            tzinfo=UTC,
        )
    except (AttributeError, TypeError, ValueError):
        return None
    return round(told.timestamp()) * 1_000_000


def _services(reply: Any) -> dict[str, str]:
    found = {}
    for service in reply or ():
        namespace, address = getattr(service, "Namespace", None), getattr(service, "XAddr", None)
        if namespace and address:
            found[str(namespace)] = str(address)
    return found


def _capabilities(reply: Any) -> dict[str, str]:
    """Of GetCapabilities: the four that are used here."""
    extension = getattr(reply, "Extension", None)
    found = {}
    for namespace, holder in (
        (EVENTS_NS, getattr(reply, "Events", None)),
        (PTZ_NS, getattr(reply, "PTZ", None)),
        (MEDIA_NS, getattr(reply, "Media", None)),
        (DEVICE_IO_NS, getattr(extension, "DeviceIO", None)),
    ):
        address = getattr(holder, "XAddr", None)
        if address:
            found[namespace] = str(address)
    return found
