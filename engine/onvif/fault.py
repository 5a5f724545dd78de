"""A camera's no: SOAP faults as data inside this package, and as the errors the rest of the engine knows."""

from __future__ import annotations

from storage.errors import CameraProtocolError, CameraRefused, CameraUnsupported, WatchdeckError

REASON_CHARS = 200

_NOT_AUTHORISED = frozenset(
    {"NotAuthorized", "FailedAuthentication", "InvalidSecurity", "SenderNotAuthorized", "Unauthorized"}
)
_NOT_OFFERED = frozenset(
    {"ActionNotSupported", "NotSupported", "OptionalActionNotImplemented", "NotImplemented", "PTZNotSupported", "NoSuchService"}
)  # fmt: skip
_NO_SUBSCRIPTION = frozenset(
    {"ResourceUnknownFault", "InvalidSubscription", "UnableToDestroySubscriptionFault"}
)


class SoapFault(Exception):
    """The camera answered with a fault. Leaves engine/onvif only as what `as_error` makes of it."""

    def __init__(self, codes: tuple[str, ...], reason: str, limits: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.codes = codes
        """Local names of code and subcodes, outermost first: ("Sender", "NotAuthorized")."""
        self.reason = reason[:REASON_CHARS]
        self.limits = limits or {}
        """What a PullMessagesFaultResponse names: MaxTimeout, MaxMessageLimit."""

    @property
    def is_not_authorised(self) -> bool:
        return not _NOT_AUTHORISED.isdisjoint(self.codes)

    @property
    def is_not_offered(self) -> bool:
        return not _NOT_OFFERED.isdisjoint(self.codes)

    @property
    def is_no_subscription(self) -> bool:
        return not _NO_SUBSCRIPTION.isdisjoint(self.codes)

    @property
    def told(self) -> str:
        """In words: the innermost code, and the camera's reason when it gives one."""
        code = self.codes[-1] if self.codes else "fault"
        return f"{code}: {self.reason}" if self.reason and self.reason != code else code


def as_error(fault: SoapFault, place: str, asked: str) -> WatchdeckError:
    """`asked` in words: `events`, `presets`."""
    if fault.is_not_authorised:
        return CameraRefused(
            f"{place} refuses user or password for ONVIF",
            "some cameras have ONVIF users of their own: make one with the stream's name and password, and set the camera's clock",
        )
    if fault.is_not_offered:
        return CameraUnsupported(
            f"{place} offers no {asked} by ONVIF", "switch it off, or look for a newer firmware"
        )
    return CameraProtocolError(f"{place} refuses {asked}: {fault.told}", "it is tried again")
