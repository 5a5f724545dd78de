"""An RTSP server with generated pictures and sound, for tests. Run by the system's Python: it needs gi and gst-rtsp-server.

Prints one line of JSON when it listens. Configuration is one JSON document in argv[1]; see `tests/rtsp/server.py`.
Must not import anything of Watchdeck: it runs outside the project's environment.
"""

import hashlib
import json
import re
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

COUNTER_BITS = 32


def video_source(stream):
    size = f"width={stream['width']},height={stream['height']},framerate={stream['fps']}/1"
    if stream["counter"]:
        return (
            f"appsrc name=counter format=time caps=video/x-raw,format=I420,{size} "
            "max-buffers=2 block=true ! clocksync"
        )
    pattern = stream["pattern"]
    return f"videotestsrc is-live=true pattern={pattern} ! video/x-raw,format=I420,{size}"


def video_chain(stream):
    gop, kbps, b_frames = stream["gop"], stream["kbps"], stream["b_frames"]
    interval = stream["config_interval"]
    mtu = stream["mtu"]
    codec = stream["video"]
    if codec == "h264":
        tune = "" if b_frames else "tune=zerolatency"
        encode = (
            f"x264enc {tune} speed-preset=ultrafast bframes={b_frames} key-int-max={gop} bitrate={kbps} threads=1 "
            f"! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au ! rtph264pay name=pay0 pt=96 config-interval={interval} mtu={mtu} aggregate-mode={stream['aggregate']}"
        )
    elif codec == "h265":
        encode = (
            f"x265enc tune=zerolatency speed-preset=ultrafast key-int-max={gop} bitrate={kbps} "
            f"option-string=pools=1:frame-threads=1:log-level=none ! h265parse "
            f"! rtph265pay name=pay0 pt=96 config-interval={interval} mtu={mtu} aggregate-mode={stream['aggregate']}"
        )
    elif codec == "mjpeg":
        encode = f"jpegenc quality=60 ! rtpjpegpay name=pay0 pt=26 mtu={mtu}"
    elif codec == "vp8":
        encode = "vp8enc deadline=1 ! rtpvp8pay name=pay0 pt=96"
    else:
        raise SystemExit(f"unknown video codec {codec}")
    return f"{video_source(stream)} ! {encode}"


AUDIO = {
    "aac": ("voaacenc bitrate=32000 ! aacparse ! rtpmp4gpay name={pay} pt=97", 16000, 1),
    "latm": ("voaacenc bitrate=32000 ! aacparse ! rtpmp4apay name={pay} pt=97", 16000, 1),
    "pcmu": ("mulawenc ! rtppcmupay name={pay} pt=0", 8000, 1),
    "pcma": ("alawenc ! rtppcmapay name={pay} pt=8", 8000, 1),
    "opus": ("opusenc ! rtpopuspay name={pay} pt=98", 48000, 2),
    "l16": ("rtpL16pay name={pay} pt=99", 16000, 1),
}


def audio_chain(codec, pay):
    encode, rate, channels = AUDIO[codec]
    return (
        "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample "
        f"! audio/x-raw,rate={rate},channels={channels} ! {encode.format(pay=pay)}"
    )


class CounterPictures:
    """Draws the frame number as 32 black or white blocks in the top quarter; the rest moves."""

    def __init__(self, stream):
        self.width, self.height, self.fps = stream["width"], stream["height"], stream["fps"]
        self.number = 0

    def connect(self, source):
        source.connect("need-data", self.push)

    def push(self, source, _length):
        width, height, number = self.width, self.height, self.number
        block = width // COUNTER_BITS
        row = b"".join(
            (b"\xeb" if number >> bit & 1 else b"\x10") * block for bit in reversed(range(COUNTER_BITS))
        )
        row += b"\x10" * (width - len(row))
        top = height // 4
        ramp = bytes((x + number * 4) % 200 + 20 for x in range(width))
        chroma = (width // 2) * (height // 2)
        picture = row * top + ramp * (height - top) + b"\x80" * (2 * chroma)
        buffer = Gst.Buffer.new_wrapped(picture)
        buffer.pts = number * Gst.SECOND // self.fps
        buffer.duration = Gst.SECOND // self.fps
        self.number += 1
        source.emit("push-buffer", buffer)


class SentLog:
    """Appends a line a picture that reaches the payloader: the hash of its slices (H.264 only)."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1)  # one line, one write: readable while the server lives

    def connect(self, media):
        pad = media.get_element().get_by_name("pay0").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, self.note)

    def note(self, _pad, info):
        buffer = info.get_buffer()
        units = re.split(b"\x00\x00\x01", buffer.extract_dup(0, buffer.get_size()))
        slices = [unit.rstrip(b"\x00") for unit in units if unit and unit[0] & 31 in (1, 5)]
        self.file.write(hashlib.sha1(b"".join(slices)).hexdigest() + "\n")
        return Gst.PadProbeReturn.OK


def configure_media(_factory, media, stream):
    if stream["sent_log"]:
        log = SentLog(stream["sent_log"])
        stream.setdefault("_keep", []).append(log)
        log.connect(media)
    source = media.get_element().get_by_name("counter")
    if source is not None:
        pictures = CounterPictures(stream)
        stream.setdefault("_keep", []).append(pictures)
        pictures.connect(source)


def add_stream(server, stream, auth_role):
    chains = [f"( {video_chain(stream)}"] if stream["video"] else ["("]
    if stream["audio"]:
        chains.append(audio_chain(stream["audio"], "pay1" if stream["video"] else "pay0"))
    chains.append(")")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(" ".join(chains))
    factory.set_shared(True)
    factory.set_protocols(
        {
            "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
            "tcp": GstRtsp.RTSPLowerTrans.TCP,
            "udp": GstRtsp.RTSPLowerTrans.UDP,
        }[stream["transport"]]
    )
    factory.connect("media-configure", configure_media, stream)
    if auth_role:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(auth_role, "media.factory.access", True)
        permissions.add_permission_for_role(auth_role, "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory(stream["path"], factory)


def configure_auth(server, config):
    if not config["user"] and not config["tls_pem"]:
        return ""
    auth = GstRtspServer.RTSPAuth()
    role = ""
    if config["user"]:
        role = "viewer"
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", role)
        if config["auth"] == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(config["user"], config["password"], token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(config["user"], config["password"]), token)
    else:
        role = "anyone"
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", role)
        auth.set_default_token(token)
    if config["tls_pem"]:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(config["tls_pem"]))
    server.set_auth(auth)
    return role


def main():
    config = json.loads(sys.argv[1])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(config["port"]))
    role = configure_auth(server, config)
    for stream in config["streams"]:
        add_stream(server, stream, role)
    if server.attach(None) == 0:
        raise SystemExit(f"cannot listen on port {config['port']}")
    pool = server.get_session_pool()
    # Sessions expire only when somebody asks the pool to look.
    GLib.timeout_add_seconds(1, lambda: pool.cleanup() >= 0)
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop.run()


main()
