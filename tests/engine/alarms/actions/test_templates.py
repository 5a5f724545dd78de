from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms.actions import templates
from engine.wire_alarm_rules import HttpAction
from storage.errors import InvalidInput
from tests.engine.alarms.actions.alarm_row import AT_US, occasion

TEXTS = st.text(st.characters(), max_size=200)  # surrogates and all


@given(TEXTS)
def test_a_text_is_parsed_or_refused_and_never_fails_otherwise(text: str) -> None:
    try:
        parsed = templates.parse(text)
    except InvalidInput:
        return
    assert parsed.render(occasion().values()) is not None


@given(TEXTS)
def test_a_text_without_braces_stays_as_it_is(text: str) -> None:
    plain = text.replace("{", "").replace("}", "")
    assert templates.parse(plain).render({}) == plain


@given(TEXTS)
def test_doubled_braces_are_braces(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert templates.parse(doubled).render({}) == text


@given(TEXTS, TEXTS)
def test_what_an_event_says_is_inserted_and_decides_nothing(text: str, source: str) -> None:
    values = occasion(text=text, source=source).values()
    assert templates.parse("[{text}|{source}]").render(values) == f"[{text}|{source}]"


@given(TEXTS, TEXTS)
def test_json_places_hold_exactly_what_was_said(text: str, source: str) -> None:
    content = templates.parse(HttpAction(url="http://a/").content)
    values = occasion(text=text, source=source).values()
    assert json.loads(content.render(values)) == {
        "alarm": "door opened",
        "source": source,
        "text": text,
        "time_us": AT_US,
    }


@given(TEXTS)
def test_url_places_hold_one_value_and_open_no_other(text: str) -> None:
    values = occasion(text=text).values()
    url = urlsplit("http://a/" + templates.parse("x?say={text}&end=1").render(values, plain="url"))
    whole = text.encode("utf-8", "replace").decode()
    query = parse_qs(url.query, keep_blank_values=True, strict_parsing=True)
    assert query == {"say": [whole], "end": ["1"]}
    assert (url.path, url.fragment) == ("/x", "")


@pytest.mark.parametrize(
    "text",
    [
        "{row.id}",
        "{text.__class__}",
        "{text!r}",
        "{text:>100000000}",
        "{text:json:url}",
        "{text:}",
        "{0}",
        "{}",
        "{ text }",
        "{unknown}",
        "{text",
        "text}",
        "{{text}",
        "{{{{text}}}",
        "{te{text}xt}",
    ],
)
def test_nothing_but_known_names_and_forms_is_taken(text: str) -> None:
    with pytest.raises(InvalidInput):
        templates.parse(text)


def test_a_refusal_names_what_can_be_written() -> None:
    with pytest.raises(InvalidInput) as refused:
        templates.parse("{sauce} is on fire")
    assert "{sauce}" in refused.value.what
    assert "source" in refused.value.remedy


def test_every_name_has_a_value() -> None:
    values = occasion().values()
    assert set(values) == templates.NAMES
    everything = " ".join(f"{{{name}}}" for name in sorted(templates.NAMES))
    assert templates.parse(everything).render(values).startswith("door opened 1 7 detection.motion warning")


def test_the_time_is_local_and_says_its_offset() -> None:
    time = str(occasion().values()["time"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", time)


def test_a_text_of_megabytes_from_outside_is_cut() -> None:
    values = occasion(text="x" * 1_000_000).values()
    assert len(templates.parse("{text}{text}").render(values)) == 2 * templates.VALUE_LIMIT


@given(TEXTS)
def test_percent_encoding_can_be_undone(text: str) -> None:
    shown = templates.parse("{text:url}").render(occasion(text=text).values())
    assert unquote(shown) == text.encode("utf-8", "replace").decode()
