"""RTP payloads and the G.711 tone of the demo, read back by others."""

from __future__ import annotations

import av
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.demo.tone import mu_law, samples_at
from engine.links.rtp_packets import RtpStream, h264_payloads, interleaved


@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=5))
def test_units_of_any_size_come_together_again(sizes: list[int]) -> None:
    units = tuple(bytes([0x65]) + bytes(number % 251 for number in range(size - 1)) for size in sizes)
    together: list[bytes] = []
    payloads = list(h264_payloads(units))
    for payload, _ in payloads:
        assert len(payload) <= 1400
        if payload[0] & 31 != 28:
            together.append(payload)
        elif payload[1] & 0x80:
            assert not payload[1] & 0x40
            together.append(bytes([payload[0] & 0xE0 | payload[1] & 31]) + payload[2:])
        else:
            together[-1] += payload[2:]
    assert tuple(together) == units
    assert [is_last for _, is_last in payloads] == [False] * (len(payloads) - 1) + [True]


def test_sequence_numbers_and_timestamps_wrap() -> None:
    stream = RtpStream(ssrc=7, payload_type=96, clock_hz=90_000, sequence=0xFFFF, timestamp=0xFFFFFFFF)
    first, second = (stream.packet(b"x", ticks, is_last=bool(ticks)) for ticks in (0, 9000))
    assert (first[2:4], second[2:4]) == (b"\xff\xff", b"\x00\x00")
    assert int.from_bytes(second[4:8]) == 8999
    assert (first[1], second[1]) == (96, 96 | 0x80)
    assert interleaved(2, first)[:4] == b"$\x02\x00\x0d"


@given(samples=st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_mu_law_is_what_other_decoders_expect(samples: list[int]) -> None:
    decoder = av.CodecContext.create("pcm_mulaw", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = 8000, "mono"
    coded = mu_law(np.array(samples, dtype=np.int32))
    heard = decoder.decode(av.Packet(coded))[0].to_ndarray()[0]
    wanted = np.clip(np.array(samples), -32124, 32124)
    # Half a step, which is 8 from the second segment on; 124 is where it begins (G.711, table 2a).
    assert np.all(np.abs(heard - wanted) <= np.maximum(8, np.abs(wanted) / 16))


@given(start=st.integers(0, 10**9), count=st.integers(1, 1600))
def test_the_tone_goes_on_without_a_click(start: int, count: int) -> None:
    assert samples_at(start, count) + samples_at(start + count, 400) == samples_at(start, count + 400)
