"""A name as one part of a URL's path."""

from __future__ import annotations

from urllib.parse import quote


def path_segment(ref: str) -> str:
    """`.` and `..` would be resolved away, a slash would divide."""
    return quote(ref, safe="").replace(".", "%2E")
