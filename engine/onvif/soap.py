"""SOAP messages to and from cameras, by onvif-zeep-async's WSDLs and zeep. The one place that imports them.

Importing this module costs a second and 30 MB: only engine/onvif/workshop.py does, when the first camera needs it. Everything
here blocks (WSDLs are parsed at first use) and belongs to one thread; it does no network access.

zeep writes all requests and reads what has a fixed shape. What carries events is read here by name (`read_pull`): one vendor
extension that fits no schema would otherwise cost every message of the reply, and the camera has forgotten them by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onvif
from lxml import etree
from onvif.client import UsernameDigestTokenDtDiff, ZeepAsyncClient
from onvif.definition import SERVICES
from onvif.settings import DEFAULT_SETTINGS
from onvif.transport import ASYNC_TRANSPORT
from onvif.types import FastDateTime, ForgivingTime
from onvif.wsa import WsAddressingIfMissingPlugin
from zeep.exceptions import Error as ZeepError
from zeep.wsdl import Document

from engine.onvif.fault import SoapFault, as_error
from engine.onvif.notification import Items, Notification, PropertyOperation
from storage.errors import CameraProtocolError, CameraUnsupported, WatchdeckError

MESSAGES_LIMIT = 1_000
"""Of one reply; a camera that was asked for 100 and sends more than this is not listened to any further."""
TOPIC_DEPTH = 8
"""Of a topic's path; real ones have three or four parts."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WSDL_FOLDER = Path(onvif.__file__).parent / "wsdl"
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_HTML = re.compile(rb"<\s*(!doctype\s+)?html", re.IGNORECASE)
_LOOK_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class Token:
    """WS-Security UsernameToken of one request (ONVIF Core, 5.9.1): `created_us` by the camera's clock."""

    user: str
    password: str
    created_us: int


@dataclass(frozen=True, slots=True)
class SubscriptionReply:
    """Of CreatePullPointSubscription and Renew."""

    address: str
    granted_s: float | None
    """TerminationTime minus CurrentTime, by the camera's clock; None = it does not say."""
    references: tuple[bytes, ...] = ()
    """WS-Addressing ReferenceParameters, to be repeated in each request's header: Axis knows its subscriptions by these."""


@dataclass(frozen=True, slots=True)
class PullReply:
    notifications: tuple[Notification, ...]
    granted_s: float | None
    unreadable: int = 0
    """Messages without a topic, or beyond MESSAGES_LIMIT."""


class Soap:
    """Requests and replies of the services in `onvif.definition.SERVICES`. One thread only."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    # -- requests ------------------------------------------------------------------------------------------

    def request(
        self,
        service: str,
        operation: str,
        address: str,
        params: Mapping[str, Any],
        *,
        token: Token | None = None,
        references: tuple[bytes, ...] = (),
    ) -> tuple[bytes, dict[str, str]]:
        """Body and HTTP headers of a POST to `address`."""
        document = self._document(service)
        wsse = None
        if token is not None:
            created = datetime.fromtimestamp(token.created_us // 1_000_000, UTC).replace(tzinfo=None)
            wsse = UsernameDigestTokenDtDiff(token.user, token.password, created=created, use_digest=True)
        client = ZeepAsyncClient(
            document,
            wsse=wsse,
            transport=ASYNC_TRANSPORT,
            settings=DEFAULT_SETTINGS,
            plugins=[WsAddressingIfMissingPlugin()],
        )
        # zeep's public `create_message` knows no address and gives no headers; this is what its `send` does.
        envelope, headers = self._binding(service)._create(
            operation, (), dict(params), client=client, options={"address": address}
        )
        if references:
            header = next(child for child in envelope if etree.QName(child).localname == "Header")
            for reference in references:
                element = etree.fromstring(reference, _parser())
                element.set("{http://www.w3.org/2005/08/addressing}IsReferenceParameter", "true")
                header.append(element)
        body: bytes = etree.tostring(envelope, encoding="utf-8", xml_declaration=True)
        return body, {str(name): str(value) for name, value in headers.items()}

    # -- replies -------------------------------------------------------------------------------------------

    def read(self, service: str, operation: str, content: bytes, place: str, *, status: int = 200) -> Any:
        """The typed reply. Raises SoapFault, and CameraProtocolError or CameraUnsupported naming `place`."""
        envelope = self._envelope(content, place, status)
        try:
            return self._binding(service).get(operation).process_reply(envelope)
        except (ZeepError, ValueError, TypeError, AttributeError, KeyError, LookupError) as error:
            raise CameraProtocolError(
                f"{place} answers {operation} with something else", "look for a newer firmware"
            ) from error

    def read_subscription(self, content: bytes, place: str, *, status: int = 200) -> SubscriptionReply:
        """Of CreatePullPointSubscription or Renew (which gives no address)."""
        body = _body(self._envelope(content, place, status), place)
        reference = _first(body, "SubscriptionReference")
        address = _text(_first(reference, "Address")) if reference is not None else ""
        parameters = _first(reference, "ReferenceParameters") if reference is not None else None
        return SubscriptionReply(
            address,
            _granted_s(body),
            tuple(etree.tostring(child, with_tail=False) for child in _children(parameters)),
        )

    def read_pull(self, content: bytes, place: str, *, status: int = 200) -> PullReply:
        """Of PullMessages: every message that can be read, in order."""
        body = _body(self._envelope(content, place, status), place)
        reply = _first(body, "PullMessagesResponse")
        if reply is None:
            raise CameraProtocolError(
                f"{place} answers PullMessages with something else", "look for a newer firmware"
            )
        # A Dahua sends empty ones now and then.
        messages = [
            child for child in reply if _name(child) == "NotificationMessage" and not _is_empty(child)
        ]
        read = [_notification(message) for message in messages[:MESSAGES_LIMIT]]
        readable = tuple(notification for notification in read if notification is not None)
        return PullReply(readable, _granted_s(reply), len(messages) - len(readable))

    def read_topics(self, content: bytes, place: str, *, status: int = 200) -> tuple[str, ...]:
        """Of GetEventProperties: the topics the camera announces (ONVIF Core, 9.8), as paths with prefixes left out."""
        body = _body(self._envelope(content, place, status), place)
        topics: list[str] = []
        level = [("", child) for child in _children(_first(body, "TopicSet", depth=2))]
        for _ in range(TOPIC_DEPTH):
            level = [(f"{path}/{_name(child)}".lstrip("/"), child) for path, child in level]
            topics += [path for path, child in level if _is_topic(child)]
            level = [(path, inner) for path, child in level for inner in _children(child)]
        return tuple(topics[:MESSAGES_LIMIT])

    # -- the library ---------------------------------------------------------------------------------------

    def _document(self, service: str) -> Document:
        """Parsed once for all cameras; the folder is the library's own, nothing is fetched."""
        path = str(_WSDL_FOLDER / SERVICES[service]["wsdl"])
        if path not in self._documents:
            self._documents[path] = _RelaxedDocument(path, ASYNC_TRANSPORT, settings=DEFAULT_SETTINGS)
        return self._documents[path]

    def _binding(self, service: str) -> Any:
        known = SERVICES[service]
        return self._document(service).bindings[f"{{{known['ns']}}}{known['binding']}"]

    def _envelope(self, content: bytes, place: str, status: int) -> etree._Element:
        envelope = parse_reply(content, place, status)
        fault = _first(envelope, "Fault", depth=2)
        if fault is not None:
            raise _fault(fault)
        if status >= 400:
            raise refusal_by_status(status, place)
        return envelope


class _RelaxedDocument(Document):
    """A WSDL with the library's forgiving date and time types, as its own cameras use it."""

    def load(self, location: str) -> None:
        schema = self.types.documents.get_by_namespace("http://www.w3.org/2001/XMLSchema", False)[0]
        for relaxed in (FastDateTime, ForgivingTime):
            schema.register_type(relaxed._default_qname, relaxed(is_global=True))
        self.types.add_documents([None], location)
        super().load(location)  # type: ignore[no-untyped-call]  # zeep has no types


def parse_reply(content: bytes, place: str, status: int = 200) -> etree._Element:
    """The envelope of a reply, or an error that says what came instead. Declares no entity, loads nothing, is not deep."""
    head = content[:_LOOK_BYTES]
    if not content.strip():
        raise (
            refusal_by_status(status, place)
            if status >= 400
            else CameraProtocolError(f"{place} answers with nothing")
        )
    if _HTML.search(head):
        raise CameraUnsupported(
            f"{place} answers with a web page (HTTP {status})",
            "no ONVIF there: give its address, or switch ONVIF on in the camera",
        )
    if _DECLARATION.search(content):
        raise _declares(place)
    try:
        envelope = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _no_xml(place, status) from error
    if envelope is not None and envelope.getroottree().docinfo.doctype:
        # In an encoding the search above does not see.
        raise _declares(place)
    if envelope is None or _name(envelope) != "Envelope":
        raise _no_xml(place, status)
    return envelope


def _declares(place: str) -> WatchdeckError:
    return CameraProtocolError(
        f"{place} answers with a document type or entities, which SOAP forbids",
        "it is not read; is this a camera?",
    )


def refusal_by_status(status: int, place: str) -> WatchdeckError:
    """An HTTP status without a fault inside."""
    if status in (401, 403):
        return as_refused(place)
    if status in (404, 405, 501):
        return CameraUnsupported(
            f"{place} has no ONVIF service there (HTTP {status})", "give its ONVIF address"
        )
    return CameraProtocolError(f"{place} answers with HTTP {status}", "it is tried again")


def as_refused(place: str) -> WatchdeckError:
    return as_error(SoapFault(("NotAuthorized",), ""), place, "ONVIF")


def _no_xml(place: str, status: int) -> WatchdeckError:
    if status >= 400:
        return refusal_by_status(status, place)
    return CameraProtocolError(f"{place} answers with no SOAP message", "is this its ONVIF address?")


def _parser() -> etree.XMLParser:
    """`recover`: cameras send control characters and stray bytes. One each time: parsers keep what they met."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )


# -- elements by local name: prefixes and even namespaces differ between firmwares -------------------------


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def _children(element: etree._Element | None) -> Iterator[etree._Element]:
    if element is not None:
        yield from (child for child in element if isinstance(child.tag, str))


def _first(element: etree._Element | None, name: str, depth: int = 8) -> etree._Element | None:
    """The first below `element`, no deeper than `depth`."""
    level = list(_children(element))
    while level and depth > 0:
        for child in level:
            if _name(child) == name:
                return child
        level = [grandchild for child in level for grandchild in _children(child)]
        depth -= 1
    return None


def _text(element: etree._Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _body(envelope: etree._Element, place: str) -> etree._Element:
    body = _first(envelope, "Body", depth=1)
    if body is None:
        raise CameraProtocolError(f"{place} answers with no SOAP body", "look for a newer firmware")
    return body


def _fault(fault: etree._Element) -> SoapFault:
    codes: list[str] = []
    code = _first(fault, "Code", depth=1)
    while code is not None:
        codes.append(_text(_first(code, "Value", depth=1)).rpartition(":")[2])
        code = _first(code, "Subcode", depth=1)
    if not codes:
        # SOAP 1.1, which some answer with whatever was asked.
        codes.append(_text(_first(fault, "faultcode", depth=1)).rpartition(":")[2])
    reason = _text(_first(fault, "Text", depth=2)) or _text(_first(fault, "faultstring", depth=1))
    detail = _first(fault, "Detail", depth=1)
    limits = {_name(child): _text(child) for parent in _children(detail) for child in _children(parent)}
    named = [_name(child) for child in _children(detail)]
    return SoapFault(tuple(part for part in (*codes, *named) if part), " ".join(reason.split()), limits)


def _is_topic(element: etree._Element) -> bool:
    """wstop:topic="true", by whatever prefix."""
    return any(
        str(name).rpartition("}")[2].rpartition(":")[2] == "topic" and str(value).lower() in ("true", "1")
        for name, value in element.attrib.items()
    )


def _is_empty(message: etree._Element) -> bool:
    return all(not len(child) and not _text(child) for child in _children(message))


def _notification(message: etree._Element) -> Notification | None:
    topic = _first(message, "Topic", depth=2)
    holder = _first(message, "Message", depth=1)
    inner = _first(holder, "Message", depth=2) if holder is not None else None
    named = "".join(str(part) for part in topic.itertext()).strip() if topic is not None else ""
    if not named or inner is None:
        return None
    try:
        operation = PropertyOperation(inner.get("PropertyOperation", ""))
    except ValueError:
        operation = PropertyOperation.NONE
    return Notification(
        named,
        operation,
        _items(inner, "Source"),
        _items(inner, "Key"),
        _items(inner, "Data"),
        parse_time_us(inner.get("UtcTime", "")),
    )


def _items(message: etree._Element, part: str) -> Items:
    holder = _first(message, part, depth=1)
    return tuple(
        (child.get("Name", ""), child.get("Value", ""))
        for child in _children(holder)
        if _name(child) == "SimpleItem"
    )


def _granted_s(reply: etree._Element) -> float | None:
    now_us = parse_time_us(_text(_first(reply, "CurrentTime", depth=2)))
    end_us = parse_time_us(_text(_first(reply, "TerminationTime", depth=2)))
    if now_us is None or end_us is None:
        return None
    return (end_us - now_us) / 1_000_000


def parse_time_us(text: str) -> int | None:
    """xs:dateTime in the spellings cameras use; without a zone it is UTC; None when it is no time."""
    try:
        moment: datetime = FastDateTime().pythonvalue(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
