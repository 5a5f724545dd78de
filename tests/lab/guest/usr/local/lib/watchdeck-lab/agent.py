"""The lab's hand inside the guest: runs commands for the host and answers with exit code and output.

One JSON document a line over a virtio-serial port: `{"id", "argv", "stdin", "timeout_s"}` in, `{"id", "exit_code",
"stdout", "stderr", "timed_out"}` out; bytes are base64. Each command has a thread of its own, so that one which hangs
in the kernel does not hold up the others. Uses nothing outside Python's library and nothing of Watchdeck.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any, BinaryIO

KILL_WAIT_S = 2.0
"""A killed process that does not end by then sits in the kernel; the answer goes out without it."""


def run(request: dict[str, Any]) -> dict[str, Any]:
    try:
        process = subprocess.Popen(
            request["argv"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return {"exit_code": 127, "stdout": "", "stderr": encoded(str(error).encode()), "timed_out": False}
    timed_out = False
    try:
        out, err = process.communicate(base64.b64decode(request["stdin"]), timeout=request["timeout_s"])
    except subprocess.TimeoutExpired:
        timed_out = True
        os.killpg(process.pid, signal.SIGKILL)
        try:
            out, err = process.communicate(timeout=KILL_WAIT_S)
        except subprocess.TimeoutExpired as error:
            out, err = error.stdout or b"", b"still in the kernel after SIGKILL"
    return {
        "exit_code": -signal.SIGKILL if process.returncode is None else process.returncode,
        "stdout": encoded(out),
        "stderr": encoded(err),
        "timed_out": timed_out,
    }


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def serve(port: BinaryIO) -> None:
    lock = threading.Lock()

    def reply(answer: dict[str, Any]) -> None:
        with lock:
            view = memoryview(json.dumps(answer).encode() + b"\n")
            while view:
                view = view[port.write(view) :]

    def answer(request: dict[str, Any]) -> None:
        reply({"id": request["id"], **run(request)})

    reply({"id": 0, "ready": True})
    waiting = b""
    while data := port.read(1 << 16):
        *lines, waiting = (waiting + data).split(b"\n")
        for line in lines:
            threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    with open(sys.argv[1], "r+b", buffering=0) as opened:
        serve(opened)
