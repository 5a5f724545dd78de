"""Any picture of a recording, not only its keyframes: what a worker remembers so that playing costs one decoding a picture.

Forward: the decoders of the GOPs played last stay where they are. Backward: the pictures of the GOP are kept, scaled as they
are wanted. Picture worker only; nothing here outlives the worker, and nothing is missed when it does not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from engine.pictures.decode import BeyondFile, Keyframe, decode, past_damage, span_of
from engine.pictures.fit import pixels_wanted
from engine.pictures.frame_shelf import FrameShelf
from engine.pictures.gop_decoder import DamagedGop, GopDecoder, PictureAt
from engine.pictures.keyframe import LEFT_OUT, RecordedKeyframe
from engine.pictures.picture import DecodedFrame, Picture, ScaledPicture
from engine.pictures.recorded_files import RecordedFiles
from engine.pictures.spans import Span
from engine.wire import PictureFormat, PictureRequest
from storage.errors import PictureUnavailable, SegmentDamaged, VolumeError
from storage.segments.gops import GopFile, ShownFrame
from storage.segments.packet import Track
from storage.units import US_PER_SECOND

DECODERS = 4
DECODER_BYTES = 320 << 20
"""Of all of them together: four of 1080p, one of 4K."""
SHELF_BYTES = 64 << 20
BACKWARD_US = 30 * US_PER_SECOND
"""A step back by no more than this is played backwards; a longer one is a seek."""
_DAMAGED_GOPS = 64
"""A step leaves out so many damaged GOPs, and then the rest of the file."""
_SUBSTITUTE = "damaged from here to the next keyframe: this is the last whole picture"
_PLAYERS = 64
"""Cameras whose last position is remembered."""


@dataclass(frozen=True, slots=True)
class ExactPicture:
    """A picture of a recording with its own times."""

    picture: Picture
    track: Track
    coded_px: tuple[int, int]
    time_us: int
    until_us: int | None
    span: Span | None
    notice: str = ""


class ExactFrames:
    """One worker's."""

    def __init__(self, files: RecordedFiles, shelf_bytes: int = SHELF_BYTES) -> None:
        self._files = files
        self._decoders: OrderedDict[tuple[str, int], GopDecoder] = OrderedDict()
        self._shelf = FrameShelf(shelf_bytes)
        self._positions: OrderedDict[str, int] = OrderedDict()

    def forget(self) -> None:
        """Give all memory back."""
        self._decoders.clear()
        self._shelf.clear()

    def picture(
        self,
        source: RecordedKeyframe,
        request: PictureRequest,
        is_late: Callable[[], bool],
        lost_gops: int = 0,
    ) -> ExactPicture:
        """The picture shown at the source's moment, or with a step the one before or behind, not in the first `lost_gops` there.

        Raises PictureUnavailable, BeyondFile.
        """
        return self._files.look(source, lambda file: self._look(file, source, request, is_late, lost_gops))

    def _look(
        self,
        file: GopFile,
        source: RecordedKeyframe,
        request: PictureRequest,
        is_late: Callable[[], bool],
        lost_gops: int,
    ) -> ExactPicture:
        found, is_past = past_damage(file, source.media_ticks, request.step, file.frame)
        if found is None:
            raise BeyondFile
        if not request.step:
            return self._shown(file, found, source, request, is_late)
        left_out = LEFT_OUT if is_past else ""
        for passed in range(_DAMAGED_GOPS):
            if left_out and is_late():
                break
            try:
                if passed < lost_gops:
                    raise DamagedGop("a worker was lost over that group of pictures a moment ago")
                shown = self._shown(file, found, source, request, is_late)
            except (DamagedGop, SegmentDamaged, VolumeError) as exc:
                left_out = str(exc)
            else:
                if not shown.notice:
                    return replace(shown, notice=LEFT_OUT if left_out else "", span=None)
                if request.step < 0:
                    return replace(shown, notice=LEFT_OUT, span=None)
                left_out = shown.notice
            found = _beside(file, found, request.step)
            if found is None:
                raise BeyondFile
        raise PictureUnavailable(left_out, "name a moment further on")

    def _shown(
        self,
        file: GopFile,
        found: ShownFrame,
        source: RecordedKeyframe,
        request: PictureRequest,
        is_late: Callable[[], bool],
    ) -> ExactPicture:
        track = file.track

        def wall_us(ticks: int | None) -> int | None:
            return None if ticks is None else source.wall_us(ticks, track.time_base_hz)

        time_us = source.wall_us(found.pts_ticks, track.time_base_hz)
        is_backward = self._is_backward(source.camera, time_us)
        shelved = self._shelf.get((source.path, found.gop.place, found.pts_ticks, _shape_of(request)))
        if shelved is not None:
            return ExactPicture(shelved, track, shelved.coded_px, time_us, wall_us(found.until_ticks), None)
        at = self._decoded(file, found, source, request, is_late, keeps=is_backward)
        decoded = at.picture
        picture = decoded.cropped(request.region) if request.region else decoded
        coded_px = (decoded.width_px, decoded.height_px)
        if at.is_substitute:
            time_us = source.wall_us(at.pts_ticks, track.time_base_hz)
            return ExactPicture(
                picture, track, coded_px, time_us, wall_us(found.gop.until_ticks), None, _SUBSTITUTE
            )
        span = span_of(source, found.pts_ticks, found.until_ticks, is_closed=file.is_closed)
        return ExactPicture(picture, track, coded_px, time_us, wall_us(found.until_ticks), span)

    def _decoded(
        self,
        file: GopFile,
        found: ShownFrame,
        source: RecordedKeyframe,
        request: PictureRequest,
        is_late: Callable[[], bool],
        *,
        keeps: bool,
    ) -> PictureAt:
        gop = found.gop
        if len(gop.samples) == 1:
            keyframe = Keyframe(file.track, file.read(gop.samples[0]), 0)
            try:
                return PictureAt(found.pts_ticks, decode(keyframe))
            except PictureUnavailable as exc:
                raise DamagedGop(exc.what, exc.remedy) from exc
        place = (source.path, gop.place)
        decoder = self._decoders.pop(place, None)
        if decoder is None or decoder.is_past(gop, found.pts_ticks):
            decoder = GopDecoder(file.track, gop)
        self._decoders[place] = decoder
        self._bound()

        def keep(passed: PictureAt) -> None:
            key = (*place, passed.pts_ticks, _shape_of(request))
            self._shelf.put(key, scaled(passed.picture, request))

        return decoder.picture(
            gop, file.read, found.pts_ticks, is_late=is_late, on_picture=keep if keeps else None
        )

    def _bound(self) -> None:
        """Forget the decoders used longest ago; never the one about to be used."""
        while len(self._decoders) > 1 and (
            len(self._decoders) > DECODERS
            or sum(decoder.memory_bytes for decoder in self._decoders.values()) > DECODER_BYTES
        ):
            self._decoders.popitem(last=False)

    def _is_backward(self, camera: str, time_us: int) -> bool:
        before_us = self._positions.pop(camera, None)
        self._positions[camera] = time_us
        if len(self._positions) > _PLAYERS:
            self._positions.popitem(last=False)
        return before_us is not None and 0 < before_us - time_us <= BACKWARD_US


def _beside(file: GopFile, found: ShownFrame, step: int) -> ShownFrame | None:
    """The first picture of the next GOP, or the last of the one before; None at an end of the file."""
    if step < 0:
        return past_damage(file, found.gop.start_ticks, -1, file.frame)[0]
    if found.gop.until_ticks is None:
        return None

    def at_its_start(ticks: int, _: int) -> ShownFrame | None:
        return file.frame(ticks)

    behind, _ = past_damage(file, found.gop.until_ticks, 1, at_its_start)
    return None if behind is None or behind.gop.place == found.gop.place else behind


def scaled(decoded: DecodedFrame, request: PictureRequest) -> ScaledPicture:
    """Only the pixels that the request's encoder will ask for."""
    picture = decoded.cropped(request.region) if request.region else decoded
    width_px, height_px, is_gray = pixels_wanted(request, picture)
    pixels = picture.gray(width_px, height_px) if is_gray else picture.rgb(width_px, height_px)
    coded_px = (decoded.width_px, decoded.height_px)
    return ScaledPicture(pixels, picture.width_px, picture.height_px, picture.shape_px, coded_px)


def _shape_of(request: PictureRequest) -> Hashable:
    """What of a request decides which pixels are wanted."""
    if request.format is PictureFormat.JPEG:
        return request.format, request.width_px, request.region
    box = (request.columns, request.rows, request.cell_width_px, request.cell_height_px)
    return request.format, box, request.colors, request.region
