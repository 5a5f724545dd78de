"""What a person looks for, in words: all of them must be there, anywhere in it, whatever the case.

The indexes `event_words` and `alarm_words` know every three characters in a row (FTS5, tokenizer trigram), so that a part of a
word is found as well as the whole of it. Shorter words are looked for row by row.
"""

from __future__ import annotations

from collections.abc import Sequence

INDEXED_LENGTH = 3
WORDS_LIMIT = 16
"""More say nothing more."""


def words(text: str) -> list[str]:
    """The words of a search, without what SQLite would take for its end."""
    return list(dict.fromkeys(text.replace("\0", " ").split()))[:WORDS_LIMIT]


def expression(wanted: Sequence[str]) -> str:
    """FTS5's query for those words that the index can find; empty for none."""
    return " AND ".join('"' + word.replace('"', '""') + '"' for word in wanted if len(word) >= INDEXED_LENGTH)


def short_words(wanted: Sequence[str]) -> list[str]:
    """Those the index cannot find."""
    return [word for word in wanted if len(word) < INDEXED_LENGTH]


def row_condition(word: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """SQL, and its values, that holds where one of the columns has the word. LIKE knows upper and lower case of ASCII only."""
    forms = {word} if word.isascii() else {word, word.lower(), word.upper()}
    patterns = [
        "%" + form.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        for form in sorted(forms)
    ]
    each = [rf"{column} LIKE ? ESCAPE '\'" for column in columns for _ in patterns]
    return f"({' OR '.join(each)})", patterns * len(columns)
