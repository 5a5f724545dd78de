from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.volumes.mount_files import (
    device_drop_in,
    escaped_path,
    fstab_has,
    fstab_line,
    fstab_with,
    fstab_without,
    unit_text,
)

OURS = fstab_line("11-22", "/srv/a b", "xfs")
FOREIGN = "# a comment\nUUID=33-44 / ext4 defaults 0 1\nUUID=11-22 /elsewhere xfs defaults 0 0\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "-"),
        ("/srv/recordings", "srv-recordings"),
        ("/srv/a-b", r"srv-a\x2db"),
        ("/srv/a b", r"srv-a\x20b"),
        ("/.hidden/x", r"\x2ehidden-x"),
        ("/srv/ä", r"srv-\xc3\xa4"),
    ],
)
def test_units_are_named_as_systemd_names_them(path: str, name: str) -> None:
    assert escaped_path(path) == name


@pytest.mark.skipif(shutil.which("systemd-escape") is None, reason="systemd-escape is not installed")
@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs", "Cc")), min_size=1),
        min_size=1,
    ).filter(lambda parts: not {".", ".."} & set(parts))
)
def test_systemd_itself_agrees(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    said = subprocess.run(["systemd-escape", "--path", path], capture_output=True, text=True, check=True)
    assert escaped_path(path) == said.stdout.rstrip("\n")


def test_the_line_in_fstab_comes_and_goes_and_lines_of_others_stay() -> None:
    once = fstab_with(FOREIGN, OURS)
    assert once.startswith(FOREIGN)
    assert once.splitlines()[-1].startswith(r"UUID=11-22 /srv/a\040b xfs noatime,nofail,")
    assert fstab_with(once, OURS) == once
    assert fstab_without(once, {"11-22"}, set()) == FOREIGN
    assert fstab_without(once, set(), {"/srv/a b"}) == FOREIGN
    assert fstab_without(once, {"33-44"}, {"/elsewhere"}) == once
    assert fstab_with("no end of line", OURS).startswith("no end of line\n")


def test_a_line_of_somebody_else_for_the_mount_point_is_seen_and_our_own_is_not() -> None:
    assert not fstab_has(fstab_with(FOREIGN, OURS), "/srv/a b")
    assert fstab_has(FOREIGN, "/elsewhere")
    assert fstab_has(OURS + "\n", "/srv/a b")
    assert not fstab_has("# UUID=1 /srv/a\n", "/srv/a")


def test_a_unit_does_not_hold_up_the_boot_and_percent_signs_are_no_specifiers() -> None:
    text = unit_text("11-22", "/srv/100%", "xfs", "50%")
    assert "Where=/srv/100%%\n" in text
    assert "Description=Recordings on 50%%\n" in text
    assert "nofail" in text
    assert r"WantedBy=multi-user.target dev-disk-by\x2duuid-11\x2d22.device" in text
    assert device_drop_in("11-22") == r"dev-disk-by\x2duuid-11\x2d22.device.d/50-watchdeck.conf"
