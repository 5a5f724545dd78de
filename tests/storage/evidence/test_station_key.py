"""The station's key: made once, kept private, missed when it is gone."""

import copy
import os
import pickle
from pathlib import Path

import pytest

from storage.errors import FileError, InvalidInput, KeyUnusable
from storage.evidence.public_key import PublicKey, grouped, key_from_argument, public_key_from_pem
from storage.evidence.station_key import StationKey, open_station_keys


def test_it_is_made_at_the_first_start_and_the_same_at_the_next(tmp_path: Path) -> None:
    first = open_station_keys(tmp_path).signer()
    assert (tmp_path / "station.key").stat().st_mode & 0o777 == 0o600
    again = open_station_keys(tmp_path).signer()
    assert again.public == first.public
    assert again.created_us == first.created_us > 0
    assert first.public.verifies(b"words", again.sign(b"words"))
    assert not first.public.verifies(b"other words", again.sign(b"words"))
    assert not first.public.verifies(b"words", again.sign(b"words")[:-1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "station.key", "station.pub"]


def test_its_private_half_is_shown_nowhere(tmp_path: Path) -> None:
    keys = open_station_keys(tmp_path)
    key = keys.signer()
    secret = key._private.private_bytes_raw()
    for shown in (repr(keys), repr(key), str(key), f"{key}", key.public.pem, key.public.base64):
        assert secret.hex() not in shown
        assert "PRIVATE" not in shown
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays"):
            attempt(key)
    assert secret not in (tmp_path / "station.pub").read_bytes()


def test_a_key_that_is_gone_is_not_silently_made_anew(tmp_path: Path) -> None:
    old = open_station_keys(tmp_path).signer()
    content = (tmp_path / "station.key").read_bytes()
    (tmp_path / "station.key").unlink()
    keys = open_station_keys(tmp_path)
    assert keys.current is None
    with pytest.raises(KeyUnusable, match=r"is gone.*station\.pub"):
        keys.signer()
    assert not (tmp_path / "station.key").exists()
    assert keys.known == {old.fingerprint: old.public}, "what it signed can still be checked"

    (tmp_path / "station.key").write_bytes(content)
    assert open_station_keys(tmp_path).signer().public == old.public


def test_a_replaced_key_is_refused_until_a_person_says_so_and_the_old_one_is_kept(tmp_path: Path) -> None:
    old = open_station_keys(tmp_path).signer()
    new = StationKey.generate()
    (tmp_path / "station.key").write_bytes(new.pkcs8())
    with pytest.raises(KeyUnusable, match="replaced") as caught:
        open_station_keys(tmp_path).signer()
    assert grouped(old.fingerprint) in caught.value.what
    assert grouped(new.fingerprint) in caught.value.what

    (tmp_path / "station.pub").unlink()
    keys = open_station_keys(tmp_path)
    assert keys.signer().public == new.public
    assert keys.known == {key.fingerprint: key.public for key in (old, new)}


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_an_unreadable_key_is_an_error_without_its_content(tmp_path: Path, content: bytes) -> None:
    open_station_keys(tmp_path)
    (tmp_path / "station.key").write_bytes(content)
    keys = open_station_keys(tmp_path)
    with pytest.raises(KeyUnusable, match=r"cannot be read: .*station\.key"):
        keys.signer()
    assert "AAAA" not in str(keys.trouble)


def test_a_key_of_another_kind_a_link_and_a_folder_are_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = tmp_path / "station.key"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyUnusable, match="not Ed25519"):
        open_station_keys(tmp_path).signer()
    path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(StationKey.generate().pkcs8())
    path.symlink_to(elsewhere)
    with pytest.raises(KeyUnusable, match=r"station\.key"):
        open_station_keys(tmp_path).signer()
    path.unlink()
    path.mkdir()
    with pytest.raises(KeyUnusable, match=r"station\.key"):
        open_station_keys(tmp_path).signer()


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    open_station_keys(tmp_path)
    os.chmod(tmp_path / "station.key", 0o644)
    open_station_keys(tmp_path)
    assert (tmp_path / "station.key").stat().st_mode & 0o777 == 0o600


def test_kept_keys_count_only_under_their_own_names(tmp_path: Path) -> None:
    key = open_station_keys(tmp_path).signer()
    foreign = StationKey.generate().public
    (tmp_path / "keys" / f"{'0' * 64}.pem").write_text(foreign.pem)
    (tmp_path / "keys" / "readme").write_text("hello")
    assert list(open_station_keys(tmp_path).known) == [key.fingerprint]


def test_a_person_may_name_a_key_in_four_ways(tmp_path: Path) -> None:
    key = StationKey.generate().public
    path = tmp_path / "station.pem"
    path.write_text(key.pem)
    for text in (
        str(path),
        key.base64,
        key.fingerprint.hex(),
        grouped(key.fingerprint),
        grouped(key.fingerprint).upper(),
    ):
        assert key_from_argument(text).fits(key)
        assert not key_from_argument(text).fits(StationKey.generate().public)
    assert public_key_from_pem(key.pem.encode(), "x") == PublicKey(key.raw)
    for wrong in ("", "abcd", "no-such-file", "\0"):
        with pytest.raises((InvalidInput, FileError)):
            key_from_argument(wrong)
    path.write_text("garbage")
    with pytest.raises(InvalidInput, match=r"station\.pem"):
        key_from_argument(str(path))
