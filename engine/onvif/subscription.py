"""One pull-point subscription at a camera: made, pulled from, kept alive in whichever way the camera bears, and given back.

ONVIF Core 9.2 says how it should be; what cameras do instead: refuse Renew, take periods as they like, want absolute times and
these with `Z`, forget a subscription that is pulled from but not renewed (onvif/specs#506), tell an end in the past.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from enum import Enum

from engine.deadline import Deadline
from engine.onvif.address import ServiceUrl, reachable
from engine.onvif.dialogue import CameraDialogue, mapped
from engine.onvif.fault import SoapFault
from engine.onvif.notification import Notification
from storage.clock import Clock
from storage.errors import CameraProtocolError, InvalidInput, WatchdeckError
from storage.units import US_PER_SECOND

log = logging.getLogger(__name__)

PERIOD_S = 120.0
"""Asked for: long enough for a lost renewal, short enough that a camera is soon rid of what a crash left behind."""
RENEW_AT = 0.6
"""Of the period granted."""
PULL_S = 20.0
"""How long a camera may hold a pull back when there is nothing to tell."""
SHORTEST_PULL_S = 1.0
PULL_PATIENCE_S = 15.0
"""Beyond the time asked for: for the network, and for cameras that count slowly."""
MESSAGE_LIMIT = 100
FAREWELL_S = 3.0
_DURATION = re.compile(r"^P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)$")


class Period(Enum):
    """How the end of a subscription is asked for."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    """By the camera's clock, with `Z`: home-assistant/core PR#37750."""
    NONE = "none"
    """Not at all: the camera chooses, or is not renewed."""


_PERIODS = (Period.RELATIVE, Period.ABSOLUTE, Period.NONE)


class SubscriptionGone(Exception):
    """The camera knows the subscription no more; another one is to be made. Stays inside engine/onvif."""


class PullPoint:
    """`create`, then `pull` again and again, then `close` in any case. Loop only."""

    def __init__(self, dialogue: CameraDialogue, events: ServiceUrl, clock: Clock) -> None:
        self._dialogue = dialogue
        self._events = events
        self._clock = clock
        self._manager: ServiceUrl | None = None
        self._references: tuple[bytes, ...] = ()
        self._period = Period.RELATIVE
        self._ends_us = 0
        """When it ends if nothing is done, monotonic."""
        self._renew_us = 0
        self._pull_limit_s = PULL_S
        self._message_limit = MESSAGE_LIMIT
        self._has_said_unreadable = False

    @property
    def renewal(self) -> Period:
        """How it is renewed; NONE when the camera takes no renewal."""
        return self._period

    async def create(self) -> None:
        """Raises CameraRefused, CameraUnsupported, CameraProtocolError, CameraUnreachable, CameraStalled."""
        for period in _PERIODS:
            try:
                reply = await self._dialogue.subscribe(
                    "events",
                    "CreatePullPointSubscription",
                    self._events,
                    self._asked("InitialTerminationTime", period),
                )
            except SoapFault as fault:
                if period is Period.NONE or not _is_about_time(fault):
                    raise mapped(fault, self._events.place, "an event subscription") from fault
                continue
            break
        self._period = Period.RELATIVE if period is Period.NONE else period
        try:
            self._manager = reachable(reply.address, self._dialogue.device) if reply.address else self._events
        except InvalidInput as error:
            raise CameraProtocolError(
                f"{self._events.place}: {error.what}", "look for a newer firmware"
            ) from error
        self._references = reply.references
        self._granted(reply.granted_s)
        if reply.granted_s is not None and reply.granted_s < PERIOD_S / 4 and self._period is Period.RELATIVE:
            # It does not understand durations, and may have made one that ends at once.
            await self._renew(first=Period.ABSOLUTE)

    async def pull(self) -> tuple[Notification, ...]:
        """What happened since the last pull, waiting for it as long as the camera was asked to.

        Raises SubscriptionGone, or SoapFault when the camera refuses for another reason, or CameraError.
        """
        assert self._manager is not None, "create comes first"
        if self._clock.monotonic_us() >= self._renew_us:
            await self._renew(first=self._period)
        left_s = (self._ends_us - self._clock.monotonic_us()) / US_PER_SECOND
        wait_s = max(SHORTEST_PULL_S, min(self._pull_limit_s, left_s / 2))
        try:
            reply = await self._dialogue.pull(
                self._manager,
                {"Timeout": f"PT{round(wait_s)}S", "MessageLimit": self._message_limit},
                self._references,
                wait_s + PULL_PATIENCE_S,
            )
        except SoapFault as fault:
            if self._takes_limits(fault):
                return ()
            if fault.is_no_subscription:
                raise SubscriptionGone(fault.told) from fault
            raise
        if reply.unreadable and not self._has_said_unreadable:
            self._has_said_unreadable = True
            log.warning("%s: %d messages could not be read", self._manager.place, reply.unreadable)
        if reply.granted_s is not None and reply.granted_s > 0:
            self._ends_us = self._clock.monotonic_us() + round(reply.granted_s * US_PER_SECOND)
        return reply.notifications

    async def close(self) -> None:
        """Give it back: a camera bears few, and one left behind stays for its whole period. Bounded, never raises an error."""
        if self._manager is None:
            return
        manager, self._manager = self._manager, None
        try:
            async with Deadline(FAREWELL_S):
                await self._dialogue.call(
                    "subscription", "Unsubscribe", manager, references=self._references, deadline_s=FAREWELL_S
                )
        except (SoapFault, WatchdeckError, TimeoutError) as error:
            log.debug("%s: no farewell: %s", manager.place, error)

    def forget(self) -> None:
        """The camera has none any more: there is nothing to give back."""
        self._manager = None

    # -- keeping it alive ----------------------------------------------------------------------------------

    async def _renew(self, *, first: Period) -> None:
        """In the way that worked, else in the others; a camera that takes none lives on its pulls, and is subscribed to anew when
        these do not keep it (home-assistant/core#91089)."""
        assert self._manager is not None
        for period in _PERIODS[_PERIODS.index(first) :]:
            self._period = period
            if period is Period.NONE:
                self._renew_us = self._clock.monotonic_us() + round(86_400 * US_PER_SECOND)
                return
            try:
                reply = await self._dialogue.subscribe(
                    "subscription",
                    "Renew",
                    self._manager,
                    self._asked("TerminationTime", period),
                    self._references,
                )
            except SoapFault as fault:
                if fault.is_no_subscription:
                    raise SubscriptionGone(fault.told) from fault
                if fault.is_not_authorised:
                    raise
            except CameraProtocolError as error:
                log.debug("%s: Renew with a %s time: %s", self._manager.place, period.value, error)
            else:
                self._granted(reply.granted_s)
                return

    def _granted(self, granted_s: float | None) -> None:
        """An end in the past, or none: as asked. A long one is renewed like a short one, which costs little."""
        told_s = granted_s if granted_s is not None and granted_s > 0 else PERIOD_S
        now_us = self._clock.monotonic_us()
        self._ends_us = now_us + round(told_s * US_PER_SECOND)
        self._renew_us = now_us + round(min(told_s, PERIOD_S) * RENEW_AT * US_PER_SECOND)

    def _asked(self, name: str, period: Period) -> dict[str, str]:
        if period is Period.RELATIVE:
            return {name: f"PT{PERIOD_S:.0f}S"}
        if period is Period.ABSOLUTE:
            end = datetime.fromtimestamp(self._dialogue.camera_now_us() // 1_000_000 + PERIOD_S, UTC)
            return {name: end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return {}

    def _takes_limits(self, fault: SoapFault) -> bool:
        """tev:PullMessagesFaultResponse names what the camera bears (ONVIF Core, 9.1.2): ask for no more from now on."""
        longest = _DURATION.match(fault.limits.get("MaxTimeout", ""))
        most = fault.limits.get("MaxMessageLimit", "")
        limit_s = self._pull_limit_s
        if longest is not None:
            hours, minutes, seconds = (float(part or 0) for part in longest.groups())
            limit_s = min(limit_s, max(SHORTEST_PULL_S, hours * 3600 + minutes * 60 + seconds))
        messages = self._message_limit
        if most.isascii() and most.isdigit():
            messages = min(messages, max(1, int(most[:6])))
        is_less = limit_s < self._pull_limit_s or messages < self._message_limit
        self._pull_limit_s, self._message_limit = limit_s, messages
        return is_less


def _is_about_time(fault: SoapFault) -> bool:
    told = " ".join((*fault.codes, fault.reason)).lower()
    return "terminationtime" in told or "invalidargval" in told or "termination time" in told
