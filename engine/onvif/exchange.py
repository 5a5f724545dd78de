"""One HTTP request to a camera and its answer, within limits of size and time. Knows no SOAP.

A connection a request: cameras close idle ones without a word, and a pull that is lost with one loses its events. HTTP digest,
which some want besides or instead of WS-Security (ONVIF Core, 5.9), is answered when it is asked for.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import hdrs

from engine.deadline import Deadline
from engine.onvif.address import ServiceUrl
from storage.errors import CameraProtocolError, CameraStalled, CameraUnreachable

REPLY_LIMIT_BYTES = 2 * 1024 * 1024
"""GetServices with all capabilities takes 60 KB; a pull of 100 messages 150 KB."""
REQUEST_S = 10.0
"""For everything but pulls, which the camera holds back as long as it was asked to."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    content: bytes


@dataclass(slots=True)
class HttpAccess:
    """How one camera wants to be asked by HTTP: kept from one request to the next."""

    user: str
    password: str
    verify_tls: bool
    _digest: aiohttp.DigestAuthMiddleware | None = field(default=None, init=False)

    @property
    def middlewares(self) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        return () if self._digest is None else (self._digest,)

    def answers_challenge(self, challenge: str) -> bool:
        """The camera asked for HTTP digest for the first time: it gets it from now on."""
        if self._digest is not None or not self.user or "digest" not in challenge.lower():
            return False
        self._digest = aiohttp.DigestAuthMiddleware(self.user, self.password)
        return True


class Exchange:
    """Shared by all cameras. Loop only; `close` at the end."""

    def __init__(self) -> None:
        # No limit a host: the channels of an encoder have one address, and each holds a connection while it is listened to.
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, force_close=True)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        self._unverified = _unverified_tls()

    async def close(self) -> None:
        await self._session.close()

    async def post(
        self,
        url: ServiceUrl,
        body: bytes,
        headers: Mapping[str, str],
        access: HttpAccess,
        *,
        deadline_s: float = REQUEST_S,
    ) -> HttpReply:
        """Raises CameraUnreachable, CameraStalled (no answer in time) and CameraProtocolError (too much, not HTTP)."""
        try:
            async with Deadline(deadline_s):
                reply, challenge = await self._post(url, body, headers, access)
                if reply.status == 401 and access.answers_challenge(challenge):
                    reply, _ = await self._post(url, body, headers, access)
                return reply
        except TimeoutError as error:
            raise CameraStalled(
                f"{url.place} gives no ONVIF answer within {deadline_s:.0f} s",
                "check the camera's load and the network",
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise CameraUnreachable(
                f"the certificate of {url.place} is not trusted",
                "do not verify it, or install the camera's issuer",
            ) from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise CameraUnreachable(
                f"{url.place} is not reached for ONVIF: {_cause(error)}",
                "check power, cable, address and ONVIF port",
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise CameraProtocolError(
                f"{url.place} answers with what is no HTTP", "is this its ONVIF port?"
            ) from error

    async def _post(
        self, url: ServiceUrl, body: bytes, headers: Mapping[str, str], access: HttpAccess
    ) -> tuple[HttpReply, str]:
        async with self._session.post(
            url.text,
            data=body,
            headers={**headers, hdrs.ACCEPT_ENCODING: "identity"},
            allow_redirects=False,
            ssl=True if access.verify_tls else self._unverified,
            middlewares=access.middlewares,
        ) as response:
            if (response.content_length or 0) > REPLY_LIMIT_BYTES:
                raise _too_much(url)
            content = bytearray()
            async for piece in response.content.iter_any():
                content += piece
                if len(content) > REPLY_LIMIT_BYTES:
                    raise _too_much(url)
            challenge = ", ".join(response.headers.getall(hdrs.WWW_AUTHENTICATE, []))
            return HttpReply(response.status, bytes(content)), challenge


def _too_much(url: ServiceUrl) -> CameraProtocolError:
    return CameraProtocolError(
        f"{url.place} answers with more than {REPLY_LIMIT_BYTES // (1024 * 1024)} MiB",
        "it is not read; is this a camera?",
    )


def _unverified_tls() -> ssl.SSLContext:
    """Cameras carry self-signed certificates and old ciphers; verifying is a setting of the camera."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    return context


def _cause(error: Exception) -> str:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(
        inner, asyncio.IncompleteReadError | aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError
    ):
        return "it closed the connection"
    return (inner.strerror or type(inner).__name__) if isinstance(inner, OSError) else type(inner).__name__
