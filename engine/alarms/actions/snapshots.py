"""Pictures of events for mails: made by the picture workers, as a console would ask for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.wire_pictures import PictureFormat, PictureReply, PictureRequest

WIDTH_PX = 1280
"""Enough to know a face by, and some hundred kilobytes: mails are read on telephones."""


class EventSnapshots:
    """engine.alarms.actions.mail.Snapshots; `picture_of` is engine.api.handlers_pictures.picture_of."""

    def __init__(self, picture_of: Callable[[PictureRequest], Awaitable[PictureReply]]) -> None:
        self._picture_of = picture_of

    async def jpeg(self, camera_name: str, at_us: int) -> bytes:
        """Raises PictureUnavailable, NotFound."""
        request = PictureRequest(
            camera=camera_name, at_us=at_us, format=PictureFormat.JPEG, width_px=WIDTH_PX
        )
        return (await self._picture_of(request)).data
