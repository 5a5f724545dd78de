"""A shell, and a package of one export."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.evidence.package import write_package_manifest
from tests.engine.verify.shell import Shell
from tests.fakes.evidence import exported, recorded, statement
from tests.fakes.segment_files import KEY


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("TZ", "UTC")
    return Shell(capsys)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (tmp_path / "source").mkdir()
    exported(recorded(tmp_path / "source"), folder / "dock.mp4")
    (folder / "index.html").write_text("<html>what happened</html>")
    write_package_manifest(folder, statement("for the police"), KEY, case="Pallet", notes=["a note"])
    return folder
