"""Where passwords come from: a hidden prompt, a file, or stdin. Never from the command line, where everyone sees them."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from engine.client import PLACEHOLDER, FileError, InvalidInput, masked

PASSWORD_LIMIT_BYTES = 4096


def password_from_file(name: str) -> str:
    """The first line of the file; `-` = stdin. Raises FileError."""
    try:
        if name == "-":
            line = sys.stdin.buffer.readline(PASSWORD_LIMIT_BYTES)
        else:
            with Path(name).open("rb") as file:
                line = file.readline(PASSWORD_LIMIT_BYTES)
        return line.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise FileError(
            f"the password file {name} cannot be read: {error.strerror}", "check its path"
        ) from error
    except UnicodeDecodeError as error:
        raise FileError(f"the password file {name} is no UTF-8 text") from error


def asked_password(user: str) -> str:
    """Asked on the terminal, unseen; empty = none. Raises InvalidInput where nobody can be asked."""
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"no password for the user {user!r}, and there is no terminal to ask on",
            "give --password-file FILE (or - for stdin), or --no-password",
        )
    typed: str = click.prompt(
        f"Password of {user}", default="", show_default=False, hide_input=True, err=True
    )
    return typed


def refuse_credentials(url: str) -> None:
    """Everyone on this machine sees the command line: a password in it is spoilt. Raises InvalidInput."""
    try:
        has_credentials = "@" in urlsplit(url).netloc
    except ValueError:
        has_credentials = "@" in url
    if masked(url) != url:
        raise InvalidInput(
            "the address holds a password: other users of this machine can see it",
            f"write {PLACEHOLDER} in its place, and give the password with --password-file",
        )
    if has_credentials:
        raise InvalidInput(
            "user and password do not belong into the address: other users of this machine can see it",
            "leave them out; give --user NAME, and the password when asked or with --password-file",
        )
