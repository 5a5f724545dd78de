"""Live packets as MP4, read back by libav: every picture and sound, bit by bit, with its time."""

from __future__ import annotations

import io

import av
import msgspec
import pytest

from engine.links.live_mp4 import LIMIT_BYTES, LiveFragments
from engine.links.live_tap import LiveTap
from storage.errors import CameraProtocolError
from storage.segments.packet import Packet, Track
from tests.engine.links.rig import GATE
from tests.fakes.encoded_video import encoded, merged


def demuxed(data: bytes, kind: str) -> list[tuple[float, bytes]]:
    """(time in s, data) of all packets of one kind, in the order of the file."""
    with av.open(io.BytesIO(data)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None
        ]


def streamed(tracks: tuple[Track, ...], packets: list[Packet]) -> bytes:
    fragments = LiveFragments(tracks)
    return b"".join(piece.data for packet in packets for piece in fragments.add(packet))


@pytest.mark.parametrize("kind", ["h264", "h264_b", "h265", "h265_b", "mjpeg"])
@pytest.mark.parametrize("sound", ["aac", "pcmu", None])
def test_a_player_gets_every_picture_with_its_time(kind: str, sound: str | None) -> None:
    video = encoded(kind)
    tracks, packets = merged(video, encoded(sound)) if sound else merged(video)
    found = demuxed(streamed(tracks, packets), "video")
    # What came after the last cut is still in the making.
    assert len(found) >= len(video.packets) - 26
    sent = [packet for packet in packets if packet.track == 0][: len(found)]
    assert [data for _, data in found] == [packet.data for packet in sent]
    first_s = found[0][0]
    for (at_s, _), packet in zip(found, sent, strict=True):
        wanted_s = (packet.pts_ticks - sent[0].pts_ticks) / 90_000
        assert at_s - first_s == pytest.approx(wanted_s, abs=1e-4)


@pytest.mark.parametrize("sound", ["aac", "pcmu", "opus"])
def test_sound_stays_beside_its_picture(sound: str) -> None:
    tracks, packets = merged(encoded("h264"), encoded(sound))
    data = streamed(tracks, packets)
    pictures, sounds = demuxed(data, "video"), demuxed(data, "audio")
    hz = tracks[1].time_base_hz
    origin_s = next(packet.pts_ticks for packet in packets if packet.track == 0) / 90_000
    first = next(p for p in packets if p.track == 1 and p.pts_ticks / hz >= origin_s - 1e-4)
    assert sounds[0][0] - pictures[0][0] == pytest.approx(first.pts_ticks / hz - origin_s, abs=2e-3)
    assert len(sounds) > 10


def test_it_begins_with_a_keyframe() -> None:
    tracks, packets = merged(encoded("h264"))
    found = demuxed(streamed(tracks, packets[7:]), "video")
    assert found[0][1] == packets[25].data


class Kept:
    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.reason = ""

    def packet(self, packet: Packet) -> None:
        self.packets.append(packet)

    def ended(self, reason: str) -> None:
        self.reason = reason


def test_a_camera_that_comes_back_goes_on_on_the_same_time_line() -> None:
    tracks, packets = merged(encoded("h264"), encoded("pcmu"))
    again = merged(encoded("h264").shifted(-900_000_000), encoded("pcmu").shifted(-900_000_000))[1]
    tap, watcher = LiveTap(GATE.uuid, tracks), Kept()
    tap.watchers.append(watcher)
    for packet in packets + again:
        tap.packet(packet)
    times_us = [
        p.pts_ticks * 1_000_000 // tracks[p.track].time_base_hz for p in watcher.packets if p.track == 0
    ]
    assert times_us[0] == 0
    steps = [later - earlier for earlier, later in zip(times_us, times_us[1:], strict=False)]
    assert min(steps) > 0
    assert max(steps) <= 40_001
    found = demuxed(streamed(tracks, watcher.packets), "video")
    assert len(found) > 180
    tap.tracks_changed((encoded("h265").track,))
    assert watcher.reason == "the camera changed its stream"


class Choking(Kept):
    def packet(self, packet: Packet) -> None:
        raise ZeroDivisionError("a defect")


def test_what_one_viewer_cannot_take_harms_neither_the_others_nor_who_records() -> None:
    tracks, packets = merged(encoded("h264"))
    tap, choking, other = LiveTap(GATE.uuid, tracks), Choking(), Kept()
    tap.watchers += [choking, other]
    for packet in packets[:3]:
        tap.packet(packet)
    assert "ZeroDivisionError" in choking.reason
    assert tap.watchers == [other]
    assert len(other.packets) == 3


class ChokingOnTheEnd(Choking):
    def ended(self, reason: str) -> None:
        super().ended(reason)
        raise ZeroDivisionError("another defect")


def test_not_even_the_end_of_a_viewer_reaches_who_records() -> None:
    tracks, packets = merged(encoded("h264"))
    tap, choking, stubborn, other = LiveTap(GATE.uuid, tracks), ChokingOnTheEnd(), ChokingOnTheEnd(), Kept()
    tap.watchers += [choking, other]
    tap.packet(packets[0])
    assert choking.reason
    assert len(other.packets) == 1
    tap.watchers.insert(0, stubborn)
    tap.tracks_changed((encoded("h265").track,))
    assert stubborn.reason == other.reason == "the camera changed its stream"
    assert tap.watchers == []


def test_tracks_that_make_no_sense_end_the_viewers_and_not_the_recording() -> None:
    tracks, packets = merged(encoded("h264"))
    tap, other = LiveTap(GATE.uuid, (msgspec.structs.replace(tracks[0], time_base_hz=0),)), Kept()
    tap.watchers.append(other)
    tap.packet(packets[0])
    assert "ZeroDivisionError" in other.reason
    assert tap.watchers == []


def test_media_time_that_stands_still_does_not_fill_the_memory() -> None:
    track = encoded("h264").track
    fragments = LiveFragments((track,))
    picture = bytes(4 * 1024 * 1024)

    def flood() -> None:
        for number in range(100):
            fragments.add(Packet(0, 90_000, number == 0, picture, number))

    with pytest.raises(CameraProtocolError, match="stands still"):
        flood()
    assert fragments._builder.bytes <= 2 * LIMIT_BYTES + len(picture)
