"""Authentication against the RFCs' examples and the challenges of captured cameras."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cameras.rtsp_auth import Authenticator, parse_challenges
from tests.fixtures_path import SHARED_FIXTURES

HEADERS = SHARED_FIXTURES / "nvr" / "gortsplib_headers.json"


def pairs(kind: str) -> list[tuple[str, str, str]]:
    if not HEADERS.exists():
        return []
    return [
        (entry["name"], entry["in"], entry["normalised"]) for entry in json.loads(HEADERS.read_text())[kind]
    ]


def fields(header: str) -> dict[str, str]:
    return {
        name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', header)
    }


@pytest.mark.parametrize(("name", "text", "normalised"), pairs("authenticate"))
def test_challenge_reads_the_same_in_any_spelling(name: str, text: str, normalised: str) -> None:
    assert parse_challenges([text]) == parse_challenges([normalised])
    assert parse_challenges([text])


def test_digest_of_rfc_2617() -> None:
    authenticator = Authenticator("Mufasa", "Circle Of Life")
    challenge = authenticator.accept(
        ['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c"']
    )
    assert challenge is not None
    sent = fields(authenticator.authorization("GET", "/dir/index.html"))
    ha1 = hashlib.md5(b"Mufasa:testrealm@host.com:Circle Of Life").hexdigest()
    assert ha1 == "939e7578ed9e3c518a452acee763bce9"
    ha2 = hashlib.md5(b"GET:/dir/index.html").hexdigest()
    expected = hashlib.md5(f"{ha1}:dcd98b7102dd2f0e8b11d0f600bfb0c093:{ha2}".encode()).hexdigest()
    assert sent["response"] == expected
    assert sent["opaque"] == "5ccc069c"
    assert "qop" not in sent


@pytest.mark.parametrize(("algorithm", "name"), [("SHA-256", "sha256"), ("MD5", "md5")])
def test_digest_with_qop_counts_the_nonce(algorithm: str, name: str) -> None:
    authenticator = Authenticator("u", "p")
    authenticator.accept([f'Digest realm="r", nonce="n", qop="auth-int,auth", algorithm={algorithm}'])
    for count in (1, 2):
        sent = fields(authenticator.authorization("PLAY", "rtsp://c/"))
        ha1 = hashlib.new(name, b"u:r:p").hexdigest()
        ha2 = hashlib.new(name, b"PLAY:rtsp://c/").hexdigest()
        text = f"{ha1}:n:{count:08x}:{sent['cnonce']}:auth:{ha2}"
        assert sent["nc"] == f"{count:08x}"
        assert sent["response"] == hashlib.new(name, text.encode()).hexdigest()


def test_session_algorithm_hashes_the_nonces_in() -> None:
    authenticator = Authenticator("u", "p")
    authenticator.accept(['Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess'])
    sent = fields(authenticator.authorization("PLAY", "x"))
    outer = hashlib.md5(b"u:r:p").hexdigest()
    ha1 = hashlib.md5(f"{outer}:n:{sent['cnonce']}".encode()).hexdigest()
    ha2 = hashlib.md5(b"PLAY:x").hexdigest()
    assert (
        sent["response"] == hashlib.md5(f"{ha1}:n:00000001:{sent['cnonce']}:auth:{ha2}".encode()).hexdigest()
    )


def test_strongest_offer_is_taken() -> None:
    offers = [
        'Basic realm="a"',
        'Digest realm="a", nonce="1"',
        'Digest realm="a", nonce="1", algorithm=SHA-256',
    ]
    assert [c.strength for c in parse_challenges(offers)] == [3, 2, 1]
    assert len(parse_challenges([", ".join(offers)])) == 3


@pytest.mark.parametrize(
    "realm", ["IP Camera(E3669)", "Login to 4e0a5c", "Please log in, with Basic things", 'say \\"x\\"', ""]
)
def test_odd_realm_is_echoed(realm: str) -> None:
    authenticator = Authenticator("u", "p")
    assert authenticator.accept([f'Digest realm="{realm}", nonce="5", stale="FALSE"']) is not None
    assert f'realm="{realm}"' in authenticator.authorization("PLAY", "x")


def test_basic_is_not_sent_where_only_a_digest_may_go() -> None:
    authenticator = Authenticator("u", "p")
    assert authenticator.accept(['Basic realm="x"'], digest_only=True) is None
    assert authenticator.authorization("PLAY", "x") == ""


@pytest.mark.parametrize("offer", ["", "Negotiate", 'Digest realm="x"', 'Digest nonce="1", algorithm=FOO'])
def test_unanswerable_offer_is_left_out(offer: str) -> None:
    assert parse_challenges([offer]) == []


@given(st.lists(st.text(max_size=120), max_size=4))
def test_no_challenge_raises(values: list[str]) -> None:
    authenticator = Authenticator("ü", "§")
    authenticator.accept(values + ["Digest nonce=1, " + "".join(values)])
    authenticator.authorization("PLAY", "rtsp://c")
