"""An RTSP server that costs next to nothing, so that a benchmark measures the recorder and not its source.

One H.264 clip is packetised once. The stream of frames is global; each client follows it with a delay of its own, so that
128 clients do not see their keyframes at the same instant, yet every frame's bytes are built once and written to all.

Run: python -m tests.bench.load_server --clip FILE.h264 --fps 25 [--port 0]; prints `{"port": N}` on its first line and on
SIGTERM one JSON line with what it sent.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import signal
import struct
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import uvloop

MTU_BYTES = 1400
CLOCK_HZ = 90_000
HISTORY_FRAMES = 260
STALL_BYTES = 16 << 20


@dataclass(slots=True)
class Frame:
    """One access unit, packetised: `template` holds interleaved RTP packets; `headers` where each packet starts."""

    template: bytes
    headers: list[int]


def split_nal_units(stream: bytes) -> list[bytes]:
    """NAL units of an Annex B stream, without start codes and trailing zeros."""
    units: list[bytes] = []
    start = stream.find(b"\x00\x00\x01")
    while start >= 0:
        following = stream.find(b"\x00\x00\x01", start + 3)
        unit = stream[start + 3 : following if following >= 0 else len(stream)].rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = following
    return units


def access_units(units: list[bytes]) -> list[list[bytes]]:
    """Groups NAL units into pictures: a slice with first_mb_in_slice = 0 ends the one before."""
    pictures: list[list[bytes]] = []
    waiting: list[bytes] = []
    for unit in units:
        kind = unit[0] & 31
        if kind in (9, 6):  # delimiter, SEI: not needed on the wire
            continue
        if kind in (1, 5):
            if unit[1] & 0x80:
                pictures.append([*waiting, unit])
                waiting = []
            else:
                pictures[-1].append(unit)
        else:
            waiting.append(unit)
    return pictures


def packetise(picture: list[bytes]) -> Frame:
    """RFC 6184 single NAL unit packets and FU-A, each behind an interleaved header of channel 0."""
    payloads: list[bytes] = []
    for unit in picture:
        if len(unit) <= MTU_BYTES:
            payloads.append(unit)
            continue
        indicator, kind = (unit[0] & 0xE0) | 28, unit[0] & 31
        for at in range(1, len(unit), MTU_BYTES - 2):
            piece = unit[at : at + MTU_BYTES - 2]
            flags = (0x80 if at == 1 else 0) | (0x40 if at + len(piece) >= len(unit) else 0)
            payloads.append(bytes((indicator, flags | kind)) + piece)
    out = bytearray()
    headers: list[int] = []
    for index, payload in enumerate(payloads):
        headers.append(len(out))
        marker = 0x80 if index == len(payloads) - 1 else 0
        out += struct.pack("!BBH", 0x24, 0, 12 + len(payload))
        out += struct.pack("!BBHII", 0x80, 96 | marker, 0, 0, 0x57444B31)
        out += payload
    return Frame(bytes(out), headers)


class Client(asyncio.Protocol):
    """One RTSP session; the server writes frames into its transport once it plays."""

    def __init__(self, server: LoadServer) -> None:
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport | None = None
        self.delay_frames = 0
        self.waits_for_keyframe = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=STALL_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.players.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.buffer:
            if self.buffer[0] == 0x24:  # a client's RTCP
                if len(self.buffer) < 4 or len(self.buffer) < 4 + int.from_bytes(self.buffer[2:4], "big"):
                    return
                self.buffer = self.buffer[4 + int.from_bytes(self.buffer[2:4], "big") :]
                continue
            head, separator, rest = self.buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            self.buffer = rest
            self.answer(head.decode("latin-1").split("\r\n"))

    def answer(self, lines: list[str]) -> None:
        method, url, _ = lines[0].split(" ", 2)
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        reply = [f"CSeq: {headers.get('cseq', '0')}", "Session: 1;timeout=60"]
        body = ""
        if method == "OPTIONS":
            reply.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE":
            body = self.server.sdp
            reply += [
                "Content-Type: application/sdp",
                f"Content-Base: {url}/",
                f"Content-Length: {len(body)}",
            ]
        elif method == "SETUP":
            reply.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        assert self.transport is not None
        self.transport.write(("RTSP/1.0 200 OK\r\n" + "\r\n".join(reply) + "\r\n\r\n" + body).encode())
        if method == "PLAY":
            self.server.join(self)
        elif method == "TEARDOWN":
            self.transport.close()


class LoadServer:
    """Paces the global frame stream and hands each client the frame it is due."""

    def __init__(self, clip: bytes, fps: float) -> None:
        units = split_nal_units(clip)
        self.frames = [packetise(picture) for picture in access_units(units)]
        self.keyframes = {i for i, p in enumerate(access_units(units)) if any(u[0] & 31 == 5 for u in p)}
        self.fps = fps
        sps = next(u for u in units if u[0] & 31 == 7)
        pps = next(u for u in units if u[0] & 31 == 8)
        sprop = ",".join(base64.b64encode(u).decode() for u in (sps, pps))
        self.sdp = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=load\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/{CLOCK_HZ}\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={sps[1:4].hex()};sprop-parameter-sets={sprop}\r\n"
            "a=control:track1\r\n"
        )
        self.players: set[Client] = set()
        self.joined = 0
        self.sent_frames = 0
        self.stalled_writes = 0
        self.sequence = 0
        self.history: deque[tuple[bytes, bool]] = deque(maxlen=HISTORY_FRAMES)

    def join(self, client: Client) -> None:
        client.delay_frames = (self.joined * 37) % (HISTORY_FRAMES - 10)
        self.joined += 1
        self.players.add(client)

    def build(self, number: int) -> tuple[bytes, bool]:
        index = number % len(self.frames)
        frame = self.frames[index]
        chunk = bytearray(frame.template)
        timestamp = (number * round(CLOCK_HZ / self.fps)) & 0xFFFFFFFF
        for at in frame.headers:
            struct.pack_into("!HI", chunk, at + 6, self.sequence & 0xFFFF, timestamp)
            self.sequence += 1
        return bytes(chunk), index in self.keyframes

    async def pace(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        number = 0
        while True:
            self.history.append(self.build(number))
            number += 1
            for client in tuple(self.players):
                if client.delay_frames >= len(self.history) or client.transport is None:
                    continue
                chunk, is_keyframe = self.history[-1 - client.delay_frames]
                if client.waits_for_keyframe and not is_keyframe:
                    continue
                client.waits_for_keyframe = False
                if client.transport.get_write_buffer_size() > STALL_BYTES:
                    self.stalled_writes += 1
                client.transport.write(chunk)
                self.sent_frames += 1
            await asyncio.sleep(max(0.0, start + number / self.fps - loop.time()))


async def serve(clip: Path, fps: float, port: int) -> None:
    server = LoadServer(clip.read_bytes(), fps)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    listener = await loop.create_server(lambda: Client(server), "127.0.0.1", port, backlog=512)
    print(json.dumps({"port": listener.sockets[0].getsockname()[1]}), flush=True)
    async with asyncio.TaskGroup() as group:
        pacer = group.create_task(server.pace(), name="pace")
        await stop.wait()
        pacer.cancel()
    print(
        json.dumps({"sent_frames": server.sent_frames, "stalled_writes": server.stalled_writes}), flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.clip, arguments.fps, arguments.port))


if __name__ == "__main__":
    main()
