from __future__ import annotations

from uuid import uuid4

import pytest

from storage.catalog.db import Catalog
from storage.errors import Conflict, NotFound
from tests.storage.catalog.footage import add_camera


def test_a_setting_is_json_and_the_newest_holds(catalog: Catalog) -> None:
    assert catalog.station_setting("mail") is None
    catalog.put_station_setting("mail", '{"host": "a"}')
    catalog.put_station_setting("mail", b'{"host": "b"}')
    assert catalog.station_setting("mail") == '{"host": "b"}'
    with pytest.raises(Conflict):
        catalog.put_station_setting("mail", "no JSON")


def test_secrets_are_kept_apart_and_go_by_what_they_belong_to(catalog: Catalog) -> None:
    for key in ("rule/1/0", "rule/1/1", "rule/10/0", "rule/1_", "mail/password"):
        catalog.put_secret(key, f"of {key}")
    catalog.put_secret("mail/password", "other")
    assert catalog.secret("mail/password") == "other"
    assert catalog.remove_secrets("rule/1/") == 2
    assert [catalog.secret(key) for key in ("rule/1/0", "rule/10/0", "rule/1_")] == [
        None,
        "of rule/10/0",
        "of rule/1_",
    ]
    catalog.put_secret("mail/password", "")
    assert catalog.secret("mail/password") is None
    assert catalog.remove_secrets("nothing") == 0


def test_a_cameras_own_events_are_set_by_its_uuid_and_go_with_it(catalog: Catalog) -> None:
    gate = catalog.camera(add_camera(catalog, "gate"))
    yard = catalog.camera(add_camera(catalog, "yard"))
    assert catalog.camera_analytics(gate.uuid) is None
    catalog.put_camera_analytics(yard.uuid, '{"onvif": true}')
    catalog.put_camera_analytics(gate.uuid, b'{"motion": true}')
    catalog.put_camera_analytics(gate.uuid, '{"motion": false}')
    assert catalog.camera_analytics(gate.uuid) == '{"motion": false}'
    assert catalog.all_camera_analytics() == {gate.uuid: '{"motion": false}', yard.uuid: '{"onvif": true}'}
    catalog.remove_camera(gate.uuid)
    assert catalog.all_camera_analytics() == {yard.uuid: '{"onvif": true}'}
    for uuid in (gate.uuid, uuid4()):
        with pytest.raises(NotFound):
            catalog.put_camera_analytics(uuid, "{}")
    with pytest.raises(Conflict):
        catalog.put_camera_analytics(yard.uuid, "no JSON")
