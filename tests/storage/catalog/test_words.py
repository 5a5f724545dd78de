from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from storage.catalog import words

TEXT = st.text(alphabet=st.sampled_from("abAB%_\\\"'*()-+^:. äÄ12"), max_size=30)


@given(TEXT, TEXT)
def test_what_is_found_holds_every_word_and_no_sign_is_a_command(text: str, search: str) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = 'trigram')")
        connection.execute("INSERT INTO t VALUES (?)", (text,))
        wanted = words.words(search)
        conditions, values = [], []
        if expression := words.expression(wanted):
            conditions.append("t MATCH ?")
            values.append(expression)
        for word in words.short_words(wanted):
            condition, patterns = words.row_condition(word, ("text",))
            conditions.append(condition)
            values.extend(patterns)
        found = connection.execute(
            f"SELECT 1 FROM t WHERE {' AND '.join(conditions) or '1'}", values
        ).fetchall()
        is_there = all(word.lower() in text.lower() for word in wanted)
        assert bool(found) == is_there
    finally:
        connection.close()


def test_a_search_has_an_end() -> None:
    assert words.words(" a  b a\0c ") == ["a", "b", "c"]
    assert len(words.words(" ".join(map(str, range(1_000))))) == words.WORDS_LIMIT
