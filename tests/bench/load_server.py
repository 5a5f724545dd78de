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
import socket
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


class Client:
    """One RTSP session on a raw socket: a transport would gather what is to be sent packet by packet."""

    def __init__(self, server: LoadServer, connection: socket.socket) -> None:
        self.server = server
        self.socket = connection
        self.buffer = b""
        self.delay_frames = 0
        self.waits_for_keyframe = True
        # What the peer has not taken yet, as separate sends; bounded by STALL_BYTES, then counted and closed.
        self.backlog: deque[memoryview] = deque()
        self.backlog_bytes = 0

    def readable(self) -> None:
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
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
        self.send(memoryview(("RTSP/1.0 200 OK\r\n" + "\r\n".join(reply) + "\r\n\r\n" + body).encode()))
        if method == "PLAY":
            self.server.join(self)
        elif method == "TEARDOWN":
            self.close()

    def send(self, piece: memoryview) -> None:
        """One send(2) a piece; what the peer does not take waits."""
        if not self.backlog:
            try:
                sent = self.socket.send(piece)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close()
                return
            piece = piece[sent:]
        if piece:
            self.backlog.append(piece)
            self.backlog_bytes += len(piece)
            if self.backlog_bytes > STALL_BYTES:
                self.server.stalled_clients += 1
                self.close()

    def drain(self) -> None:
        """Try again what waited."""
        waiting, self.backlog, self.backlog_bytes = self.backlog, deque(), 0
        for piece in waiting:
            self.send(piece)

    def close(self) -> None:
        self.server.players.discard(self)
        if self.socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.socket.fileno())
            self.socket.close()


class LoadServer:
    """Paces the global frame stream and hands each client the frame it is due."""

    def __init__(self, clip: bytes, fps: float, packets_a_send: int) -> None:
        units = split_nal_units(clip)
        pictures = access_units(units)
        self.frames = [packetise(picture) for picture in pictures]
        self.keyframes = {i for i, picture in enumerate(pictures) if any(u[0] & 31 == 5 for u in picture)}
        self.fps = fps
        self.packets_a_send = packets_a_send
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
        self.stalled_clients = 0
        self.sequence = 0
        self.history: deque[tuple[list[memoryview], bool]] = deque(maxlen=HISTORY_FRAMES)

    def join(self, client: Client) -> None:
        client.delay_frames = (self.joined * 37) % (HISTORY_FRAMES - 10)
        self.joined += 1
        self.players.add(client)

    def build(self, number: int) -> tuple[list[memoryview], bool]:
        """The frame's bytes, cut into what goes out with one send each."""
        index = number % len(self.frames)
        frame = self.frames[index]
        chunk = bytearray(frame.template)
        timestamp = (number * round(CLOCK_HZ / self.fps)) & 0xFFFFFFFF
        for at in frame.headers:
            struct.pack_into("!HI", chunk, at + 6, self.sequence & 0xFFFF, timestamp)
            self.sequence += 1
        whole = memoryview(bytes(chunk))
        if not self.packets_a_send:
            return [whole], index in self.keyframes
        cuts = [*frame.headers[:: self.packets_a_send], len(whole)]
        return [whole[a:b] for a, b in zip(cuts, cuts[1:], strict=False)], index in self.keyframes

    async def accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = Client(self, connection)
            loop.add_reader(connection.fileno(), client.readable)

    async def pace(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        number = 0
        while True:
            self.history.append(self.build(number))
            number += 1
            due: list[tuple[Client, list[memoryview]]] = []
            for client in tuple(self.players):
                if client.delay_frames >= len(self.history):
                    continue
                pieces, is_keyframe = self.history[-1 - client.delay_frames]
                if client.waits_for_keyframe and not is_keyframe:
                    continue
                client.waits_for_keyframe = False
                client.drain()
                due.append((client, pieces))
                self.sent_frames += 1
            # Round by round, so that a camera's packets leave one after the other as from a camera's own link.
            for turn in range(max((len(pieces) for _, pieces in due), default=0)):
                for client, pieces in due:
                    if turn < len(pieces):
                        client.send(pieces[turn])
                if turn % 8 == 7:
                    await asyncio.sleep(0)
            await asyncio.sleep(max(0.0, start + number / self.fps - loop.time()))


async def serve(clip: Path, fps: float, port: int, packets_a_send: int) -> None:
    server = LoadServer(clip.read_bytes(), fps, packets_a_send)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    listener.setblocking(False)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(server.accept(listener)), group.create_task(server.pace())]
        await stop.wait()
        for task in tasks:
            task.cancel()
    print(
        json.dumps({"sent_frames": server.sent_frames, "stalled_clients": server.stalled_clients}), flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--packets-a-send", type=int, default=1, help="RTP packets a send(2); 0 = a whole frame"
    )
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.clip, arguments.fps, arguments.port, arguments.packets_a_send))


if __name__ == "__main__":
    main()
