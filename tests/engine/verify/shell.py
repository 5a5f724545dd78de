"""`watchdeck verify` called as a shell calls it, for the tests of what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from engine.verify.command import main
from tests.fakes.segment_files import KEY

FINGERPRINT = KEY.fingerprint.hex()


class Shell:
    """Calls it, and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str | Path) -> tuple[int, str]:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, self.err = self._capsys.readouterr()
        return code, out

    def json(self, *arguments: str | Path) -> tuple[int, Any]:
        code, out = self(*arguments, "--json")
        return code, json.loads(out)


def zipped(folder: Path, path: Path, password: str = "") -> Path:
    options: dict[str, Any] = {"encryption": pyzipper.WZ_AES} if password else {}
    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED, **options) as archive:
        if password:
            archive.setpassword(password.encode())
        for each in sorted(folder.iterdir()):
            archive.write(each, each.name)
    return path
