"""Basic and Digest authentication for RTSP (RFC 2617, RFC 7616), as cameras ask for it.

Holds the password of one session in memory; nothing here is logged and no error carries it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field

_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))')
_SCHEME_START = re.compile(r"(?:^|,)\s*(Basic|Digest)\b", re.IGNORECASE)
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One `WWW-Authenticate` offer."""

    scheme: str
    """basic or digest"""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_stale(self) -> bool:
        return self.parameters.get("stale", "").lower() == "true"

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").upper() or "MD5"

    @property
    def strength(self) -> int:
        """0 = cannot be answered; larger is better."""
        if self.scheme == "basic":
            return 1
        base = self.algorithm.removesuffix("-SESS")
        if base not in _HASHES or not self.parameters.get("nonce"):
            return 0
        qop = self.parameters.get("qop", "")
        if qop and "auth" not in _tokens(qop):
            return 0
        return 3 if base == "SHA-256" else 2


def parse_challenges(values: list[str]) -> list[Challenge]:
    """Every offer of the header values, best first; schemes nobody knows are left out."""
    found = []
    for value in values:
        starts = list(_SCHEME_START.finditer(_blank_quoted(value)))
        for index, match in enumerate(starts):
            end = starts[index + 1].start() if index + 1 < len(starts) else len(value)
            parameters = {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
                for name, quoted, plain in _PARAMETER.findall(value[match.end() : end])
            }
            found.append(Challenge(match[1].lower(), parameters))
    return sorted((c for c in found if c.strength), key=lambda c: -c.strength)


class Authenticator:
    """Answers challenges with one user's credentials; keeps the nonce and its counter."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._challenge: Challenge | None = None
        self._nonce_uses = 0

    @property
    def has_credentials(self) -> bool:
        return bool(self._user)

    def accept(self, values: list[str], *, digest_only: bool = False) -> Challenge | None:
        """Take over the best offer of a 401 reply; None when none can be answered."""
        for challenge in parse_challenges(values):
            if challenge.scheme == "basic" and digest_only:
                continue
            self._challenge = challenge
            self._nonce_uses = 0
            return challenge
        return None

    def authorization(self, method: str, uri: str) -> str:
        """The `Authorization` value for one request; empty while no challenge was seen."""
        if self._challenge is None or not self._user:
            return ""
        if self._challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        return self._digest(self._challenge, method, uri)

    def _digest(self, challenge: Challenge, method: str, uri: str) -> str:
        parameters = challenge.parameters
        realm, nonce = parameters.get("realm", ""), parameters.get("nonce", "")
        algorithm = challenge.algorithm
        digest = _HASHES[algorithm.removesuffix("-SESS")]

        def hashed(text: str) -> str:
            return digest(text.encode()).hexdigest()

        cnonce = secrets.token_hex(8)
        ha1 = hashed(f"{self._user}:{realm}:{self._password}")
        if algorithm.endswith("-SESS"):
            ha1 = hashed(f"{ha1}:{nonce}:{cnonce}")
        ha2 = hashed(f"{method}:{uri}")
        fields = [
            ("username", _quoted(self._user)),
            ("realm", _quoted(realm)),
            ("nonce", _quoted(nonce)),
            ("uri", _quoted(uri)),
        ]
        if "auth" in _tokens(parameters.get("qop", "")):
            self._nonce_uses += 1
            count = f"{self._nonce_uses:08x}"
            response = hashed(f"{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}")
            fields += [("qop", "auth"), ("nc", count), ("cnonce", _quoted(cnonce))]
        else:
            response = hashed(f"{ha1}:{nonce}:{ha2}")
            if algorithm.endswith("-SESS"):
                fields.append(("cnonce", _quoted(cnonce)))
        fields.append(("response", _quoted(response)))
        if "algorithm" in parameters:
            fields.append(("algorithm", parameters["algorithm"]))
        if "opaque" in parameters:
            fields.append(("opaque", _quoted(parameters["opaque"])))
        return "Digest " + ", ".join(f"{name}={value}" for name, value in fields)


def _tokens(value: str) -> list[str]:
    return [token.strip().lower() for token in value.split(",")]


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _blank_quoted(value: str) -> str:
    """Same length, quoted text blanked: a realm may contain a comma or the word Basic."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: "." * len(match.group()), value)
