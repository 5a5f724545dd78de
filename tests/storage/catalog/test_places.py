from __future__ import annotations

from pathlib import Path

from storage.catalog.db import Catalog
from storage.catalog.places import mounted_places, places_file, remember_places, remembered_places
from tests.storage.catalog.footage import add_volume


def test_registered_volumes_are_remembered_beside_the_catalog(catalog: Catalog) -> None:
    assert remembered_places(catalog.path) == []
    add_volume(catalog, "one")
    volume = catalog.volume(add_volume(catalog, "two"))
    assert remembered_places(catalog.path) == [Path("/srv/one"), Path("/srv/two")]
    catalog.remove_volume(volume.uuid)
    assert remembered_places(catalog.path) == [Path("/srv/one")]
    assert places_file(catalog.path).stat().st_mode & 0o777 == 0o600


def test_a_hint_that_cannot_be_kept_or_read_is_no_error(tmp_path: Path) -> None:
    remember_places(tmp_path / "absent" / "catalog.db", ["/srv/one"])
    places_file(tmp_path / "catalog.db").write_bytes(b"[1, 2]")
    assert remembered_places(tmp_path / "catalog.db") == []


def test_mounted_volumes_are_found_by_their_identity_file(tmp_path: Path) -> None:
    root = tmp_path / "with blank"
    (root / ".watchdeck").mkdir(parents=True)
    (root / ".watchdeck" / "volume.json").write_text("{}")
    escaped = str(root).replace(" ", "\\040")
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda1 {escaped} ext4 rw 0 0\n/dev/sda1 {escaped} ext4 rw 0 0\nproc /proc proc rw 0 0\nodd\n"
    )
    assert mounted_places(mounts) == [root]
    assert mounted_places(tmp_path / "absent") == []
