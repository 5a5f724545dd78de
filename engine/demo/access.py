"""Who may watch a demo camera: RTSP Digest (RFC 2617, with or without qop) and Basic."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

REALM = "watchdeck demo"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str
    scheme: str = "digest"
    """`digest` or `basic`: what the server asks for."""


def challenge(login: Login, nonce: str) -> str:
    """Value of WWW-Authenticate."""
    if login.scheme == "basic":
        return f'Basic realm="{REALM}"'
    return f'Digest realm="{REALM}", nonce="{nonce}"'


def new_nonce() -> str:
    return secrets.token_hex(16)


def is_allowed(login: Login, method: str, header: str, nonce: str) -> bool:
    """Whether an Authorization header proves the password."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != login.scheme:
        return False
    if login.scheme == "basic":
        try:
            given = base64.b64decode(rest, validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(given, f"{login.user}:{login.password}".encode())
    fields = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
    if fields.get("username") != login.user or fields.get("nonce") != nonce:
        return False
    secret = _md5(f"{login.user}:{REALM}:{login.password}")
    request = _md5(f"{method}:{fields.get('uri', '')}")
    middle = nonce
    if "qop" in fields:
        middle = f"{nonce}:{fields.get('nc', '')}:{fields.get('cnonce', '')}:{fields['qop']}"
    return hmac.compare_digest(_md5(f"{secret}:{middle}:{request}"), fields.get("response", ""))


def _md5(text: str) -> str:
    # MD5 is what RTSP Digest is made of; nothing but the demo relies on it here.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
