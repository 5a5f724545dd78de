"""Run inside a kitty: `python kitty_store.py FILE` writes, a line for each of 400 ids, what the alternate screen's store answers.

`31 OK` is a picture that is kept, `31 ENOENT` one that is not there. The alternate screen is entered without clearing it (mode 47):
that is how the last program left it.
"""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import tty
from pathlib import Path

IDS = range(1, 401)
ANSWER = re.compile(rb"\x1b_Gi=(\d+)[^;]*;([A-Z]+)[^\x1b]*\x1b\\")


def main() -> None:
    """Ask for each picture to be placed; the answer to the last question (DA1) ends the wait."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        os.write(1, b"\x1b[?47h")
        for number in IDS:
            os.write(1, b"\x1b_Ga=p,i=%d\x1b\\" % number)
        os.write(1, b"\x1b[c")
        answers = b""
        while re.search(rb"\x1b\[\?[\d;]*c", answers) is None:
            if not select.select([0], [], [], 10)[0]:
                break
            answers += os.read(0, 65_536)
        os.write(1, b"\x1b[?47l")
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)
    found = [f"{number.decode()} {word.decode()}" for number, word in ANSWER.findall(answers)]
    file = Path(sys.argv[1])
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text("\n".join(found) + "\n")
    unfinished.rename(file)


if __name__ == "__main__":
    main()
