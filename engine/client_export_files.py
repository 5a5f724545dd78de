"""Fetching the files of an export that the engine made, from any place on. Mixed into EngineClient."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from engine.path_segment import path_segment
from storage.errors import EngineUnreachable

if TYPE_CHECKING:
    import aiohttp

SILENCE_MS = 60_000
"""A disk that sends nothing for so long hangs."""


class FileStream:
    """The bytes of a file as they arrive. Iterate once."""

    what: ClassVar[str] = "the file"
    remedy: ClassVar[str] = "fetch it again"

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.total_bytes = int(response.headers["Content-Length"])
        """Of what comes."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import aiohttp

        received_bytes = 0
        try:
            async for chunk in self._response.content.iter_any():
                received_bytes += len(chunk)
                yield chunk
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EngineUnreachable(
                f"{self.what} broke off after {received_bytes} of {self.total_bytes} bytes: {plain_error(error)}",
                self.remedy,
            ) from error


def plain_error(error: BaseException) -> str:
    return str(error) or type(error).__name__


class ExportFileCalls:
    """What EngineClient can do with files of exports."""

    if TYPE_CHECKING:

        def _request(
            self,
            method: str,
            path: str,
            *,
            timeout: aiohttp.ClientTimeout,
            headers: Mapping[str, str] | None = None,
        ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]: ...

    @asynccontextmanager
    async def export_file(self, id: str, name: str, *, from_bytes: int = 0) -> AsyncIterator[FileStream]:
        """From a place on (below its size): `total_bytes` of what comes, then iterate over it. Raises NotFound, Conflict."""
        import aiohttp

        path = f"/v1/export-jobs/{path_segment(id)}/files/{path_segment(name)}"
        headers = {"Range": f"bytes={from_bytes}-"} if from_bytes else None
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_MS / 1000)
        async with self._request("GET", path, timeout=timeout, headers=headers) as response:
            yield FileStream(response)
