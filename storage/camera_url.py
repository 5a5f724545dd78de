"""Passwords inside camera addresses: found, taken out, and put back for the moment of connecting.

Many cameras want theirs in the address (`?user=a&pwd=b`, `/user=a_password=b_channel=1`). What is kept, shown, logged
and copied holds PLACEHOLDER in its place; the password itself is kept where every other one is.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from storage.errors import InvalidInput

PLACEHOLDER = "{password}"

_PASSWORD_NAMES = "password|passwd|passwort|passwrd|passw|pass|pwd|psw|psd|loginpas|loginpass"
_TOKEN_NAMES = "token|access_token|auth_token|authtoken|auth|apikey|api_key|secret|client_secret"
_SECRET = re.compile(rf"(?<=[?&;/])({_PASSWORD_NAMES}|{_TOKEN_NAMES})=([^&;/?#\s]+)", re.IGNORECASE)
_GLUED_SECRET = re.compile(r"(?<=_)(password|passwd|pwd)=([^_&;/?#\s]+)", re.IGNORECASE)
"""As in `/user=admin_password=x_channel=1_stream=0.sdp`; only in paths, for `_` belongs to names in queries."""
_KEPT_AS_TYPED = "!$'()*+,:=~"
"""Some cameras compare the address as it came, without decoding it."""


def split_secret(url: str) -> tuple[str, str]:
    """The address (or a part of one) with the placeholder, and the password that was inside; empty = none.

    Raises InvalidInput, without repeating the address, when it holds two different ones.
    """
    found: set[str] = set()

    def taken(match: re.Match[str]) -> str:
        if match[2] != PLACEHOLDER:
            found.add(unquote(match[2]))
        return f"{match[1]}={PLACEHOLDER}"

    path, mark, query = _SECRET.sub(taken, url).partition("?")
    kept = _GLUED_SECRET.sub(taken, path) + mark + query
    if len(found) > 1:
        raise InvalidInput(
            "the camera's URL holds two different passwords or tokens",
            "a camera has one: leave the other out",
        )
    return kept, next(iter(found), "")


def masked(url: str) -> str:
    """Fit to be shown, whatever is in it."""
    path, mark, query = _SECRET.sub(_hidden, url).partition("?")
    return _GLUED_SECRET.sub(_hidden, path) + mark + query


def _hidden(match: re.Match[str]) -> str:
    return f"{match[1]}={PLACEHOLDER}"


def with_secret(url: str, password: str) -> str:
    """The address to connect to. For the source, for nobody else."""
    return url.replace(PLACEHOLDER, quote(password, safe=_KEPT_AS_TYPED))
