"""The generator on anything at all: audio as promised, or a ValueError of what was given and what is expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offhook import dsp
from offhook.dsp.encode import DEFAULTS, OF_STRING

PER_DIGIT = [name for name in DEFAULTS if name not in OF_STRING]
GOOD = st.text("0123456789*#ABCDabcd,wW", max_size=12)
# Nothing between what fits in memory with ease and what is refused as too long.
NUMBERS = st.one_of(
    st.floats(-10.0, 10.0),
    st.integers(-10, 10),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1e-12, 1e-9, 1e12, 1e300, -1e300]),
)
SHAPES: st.SearchStrategy[Any] = st.one_of(
    NUMBERS,
    st.lists(NUMBERS, max_size=14),
    st.lists(st.lists(NUMBERS, max_size=4), max_size=4),
    st.sampled_from(
        [None, "long", "", b"1", 1j, [None], ["1"], {}, {"a": 1}, object(), np.zeros((2, 2, 2)), np.array(3, "i1")]
    ),
)
RATES = st.sampled_from([8000, 8000.0, 11025, 48000, 4000, 192000])


def is_promised(samples: np.ndarray, spans: list[dsp.Span], keys: str) -> None:
    assert samples.dtype in (np.float32, np.int16)
    assert np.isfinite(samples).all()
    assert "".join(span.key for span in spans) == keys
    at = 0
    for span in spans:
        assert at <= span.start < span.stop <= len(samples)
        at = span.stop


def is_told(error: ValueError, name: str) -> None:
    text = str(error)
    assert name in text or "too long" in text or "samples in all" in text, text
    assert "expected" in text, text
    assert len(text) < 300, text


@settings(deadline=None)
@given(st.text(max_size=20))
@example("٣")
@example("\ud800")
@example("1\x002")
def test_any_text(text: str) -> None:
    keys = [char for char in text if char in "0123456789*#ABCDabcd"]
    try:
        made = dsp.encode_spans(text, on_s=0.01, off_s=0.01, pause_s=0.02)
    except ValueError as error:
        wrong = next(char for char in text if char not in "0123456789*#ABCDabcd,wW")
        is_told(error, repr(wrong))
    else:
        assert all(char in "0123456789*#ABCDabcd,wW" for char in text)
        is_promised(made.samples, made.spans, "".join(keys).upper())


@settings(deadline=None, max_examples=300)
@given(GOOD, st.sampled_from(list(DEFAULTS)), SHAPES, RATES)
def test_any_figure_of_one_string(text: str, name: str, value: Any, rate: float) -> None:
    keys = "".join(char for char in text.upper() if char not in ",W")
    try:
        made = dsp.encode_spans(text, rate, **{name: value})  # type: ignore[arg-type]
    except ValueError as error:
        is_told(error, name)
    else:
        is_promised(made.samples, made.spans, keys)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(GOOD, max_size=4),
    st.dictionaries(st.sampled_from(list(DEFAULTS)), SHAPES, max_size=3),
    st.sampled_from([np.float32, np.int16]),
)
def test_any_figures_of_many_strings(strings: list[str], figures: dict[str, Any], form: type) -> None:
    try:
        made = dsp.encode_batch(strings, dtype=form, **figures)
    except ValueError as error:
        text = str(error)
        is_told(error, next((name for name in figures if name in text), "nothing"))
    else:
        assert made.samples.dtype == form
        for row, text in enumerate(strings):
            is_promised(made.samples[row], made.spans(row), "".join(c for c in text.upper() if c not in ",W"))


@pytest.mark.parametrize("name", PER_DIGIT)
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, [0.1, math.nan], [0.1], [0.1] * 3, [[0.1, 0.1]], np.ones((2, 1)), "0.1", None, True],
    ids=str,
)
def test_what_is_no_figure_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        dsp.encode("12", **{name: value})
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("name", ["on_s", "off_s", "edge_s", "interruption_at_s", "interruption_s", *OF_STRING])
def test_negative_times_are_refused_by_name_with_the_figure(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is -0\.25\b.*expected"):
        dsp.encode("1,2w3", **{name: -0.25})  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0, -8000, 3999, 192001, math.nan, math.inf])
def test_rates_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate is .* Hz: expected 4000 to 192000"):
        dsp.encode("1", rate)


@pytest.mark.parametrize("digits", [None, 5, b"12", ["1", "2"], 1.5])
def test_what_is_no_text_is_refused(digits: Any) -> None:
    with pytest.raises(ValueError, match="expected a"):
        dsp.encode(digits)
