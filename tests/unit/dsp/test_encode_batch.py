"""Many strings in one call: the plain formula of two sines under an envelope, sample by sample, is the authority."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from offhook import dsp
from offhook.dsp import bursts, impair

STRINGS = ["159D", "0*", "", "#4,7w2A88"]
COUNTS = [4, 2, 0, 7]
NUMBERS: dict[str, tuple[float, float]] = {
    "level_low_dbm0": (-25, -4),
    "level_high_dbm0": (-25, -4),
    "on_s": (0.04, 0.12),
    "off_s": (0.03, 0.09),
    "edge_s": (0.0, 0.006),
    "low_offset_percent": (-3, 3),
    "high_offset_percent": (-3, 3),
    "low_phase_rad": (0, 7),
    "high_phase_rad": (0, 7),
    "interruption_at_s": (0.01, 0.02),
    "interruption_s": (0.0, 0.01),
}


def ragged(seed: int, counts: list[int] = COUNTS) -> dict[str, list[list[float]]]:
    rng = np.random.default_rng(seed)
    return {name: [rng.uniform(*ends, count).tolist() for count in counts] for name, ends in NUMBERS.items()}


def plain(key: str, rate: float, length: int, figure: dict[str, float]) -> np.ndarray:
    """One digit by the textbook: sines in float64, one after the other."""
    n = np.arange(length)
    wave = np.zeros(length)
    for group, freq_hz in zip(("low", "high"), dsp.tones.frequencies(key), strict=True):
        turn = 2 * np.pi * freq_hz * (1 + figure[f"{group}_offset_percent"] / 100) / rate
        level = 10 ** ((figure[f"level_{group}_dbm0"] - 3.14) / 20)
        wave += level * np.sin(turn * n + figure[f"{group}_phase_rad"])
    edge = max(min(figure["edge_s"] * rate, length / 2), 1e-9)
    near = np.minimum(n + 0.5, length - n - 0.5)
    wave *= np.where(near < edge, 0.5 - 0.5 * np.cos(np.pi * near / edge), 1.0)
    cut = figure["interruption_at_s"] * rate, (figure["interruption_at_s"] + figure["interruption_s"]) * rate
    wave[(n >= round(cut[0])) & (n < round(cut[1]))] = 0.0
    return wave


def expected(strings: list[str], rate: float, figures: dict[str, list[list[float]]], lead_s: list[float]) -> np.ndarray:
    rows = []
    for row, text in enumerate(strings):
        at_s, digit, parts = lead_s[row], 0, []
        for char in text:
            if char in ",w":
                at_s += 2.0 if char == "," else 0.5
                continue
            figure = {name: values[row][digit] for name, values in figures.items()}
            parts.append((round(at_s * rate), round((at_s + figure["on_s"]) * rate), char, figure))
            at_s += figure["on_s"] + figure["off_s"]
            digit += 1
        whole = np.zeros(round(at_s * rate))
        for start, stop, char, figure in parts:
            whole[start:stop] = plain(char, rate, stop - start, figure)
        rows.append(whole)
    longest = max(map(len, rows))
    return np.stack([np.pad(row, (0, longest - len(row))) for row in rows])


@pytest.mark.req("DTMF-ENC.2", "DTMF-ENC.3", "DTMF-ENC.7")
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_a_batch_is_the_plain_formula(rate: int) -> None:
    figures, lead_s = ragged(rate), [0.0, 0.013, 0.5, 0.0047]
    made = dsp.encode_batch(STRINGS, rate, lead_s=lead_s, **figures)  # type: ignore[arg-type]
    truth = expected(STRINGS, rate, figures, lead_s)
    assert made.samples.shape == truth.shape
    assert made.samples.dtype == np.float32
    assert np.abs(made.samples - truth).max() < 2e-6
    assert made.keys == ["159D", "0*", "", "#472A88"]
    for row, key in enumerate(made.keys):
        spans = made.spans(row)
        assert [span.key for span in spans] == list(key)
        rest = made.samples[row].copy()
        for span in spans:
            rest[span.start : span.stop] = 0
        assert not rest.any()


@pytest.mark.req("DTMF-ENC.7")
def test_pieces_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    strings = ["".join(rng.choice(list(dsp.tones.KEYS), int(count))) for count in rng.integers(0, 40, 30)]
    figures: Any = ragged(4, [len(text) for text in strings])
    figures["on_s"][3][:] = [2.0] * len(figures["on_s"][3])  # long ones among short ones
    whole = dsp.encode_batch(strings, **figures).samples
    monkeypatch.setattr(bursts, "ROOM", 3000)
    assert np.abs(dsp.encode_batch(strings, **figures).samples - whole).max() < 1e-6
    assert np.abs(dsp.encode_batch(strings, dtype=np.int16, **figures).samples - whole * 32768.0).max() < 0.51


@pytest.mark.req("DTMF-ENC.7")
def test_a_row_is_what_its_string_gives_alone() -> None:
    figures = ragged(5)
    made = dsp.encode_batch(STRINGS, **figures)  # type: ignore[arg-type]
    for row, text in enumerate(STRINGS):
        one = dsp.encode_spans(text, **{name: values[row] for name, values in figures.items()})  # type: ignore[arg-type]
        assert one.spans == made.spans(row)
        assert np.abs(made.samples[row, : len(one.samples)] - one.samples).max(initial=0.0) < 1e-6
        assert not made.samples[row, len(one.samples) :].any()


def test_figures_for_all_for_each_string_and_for_each_digit() -> None:
    level = np.array([[-10.0, -12.0, np.nan], [-14.0, -16.0, -18.0]])
    tables = dsp.encode_batch(["12", "345"], level_low_dbm0=level, on_s=[0.05, 0.06], off_s=0.04).samples
    lists = dsp.encode_batch(
        ["12", "345"],
        level_low_dbm0=[level[0, :2], level[1]],
        on_s=[0.05, [0.06, 0.06, 0.06]],
        off_s=np.full((2, 1), 0.04),
    ).samples
    assert np.array_equal(tables, lists)
    assert tables.shape == (2, 2400)


@pytest.mark.req("DTMF-ENC.1", "DTMF-ENC.3")
def test_each_digit_has_its_frequencies_and_levels_and_nothing_else() -> None:
    """A least-squares fit at the frequencies asked for, and beside them, as an independent meter."""
    rng = np.random.default_rng(6)
    low, high = rng.uniform(-1.5, 1.5, (2, 8, 16))
    levels = rng.uniform(-25, -3, (2, 8, 16))
    strings = ["".join(rng.permutation(list(dsp.tones.KEYS))) for _ in range(8)]
    made = dsp.encode_batch(
        strings,
        on_s=0.5,
        edge_s=0.0,
        low_offset_percent=low,
        high_offset_percent=high,
        level_low_dbm0=levels[0],
        level_high_dbm0=levels[1],
        low_phase_rad=rng.uniform(0, 6, (8, 16)),
    )
    n = np.arange(4000) / 8000
    window = np.blackman(4000)
    for row in range(8):
        for digit, span in enumerate(made.spans(row)):
            x = made.samples[row, span.start : span.stop].astype(np.float64)
            nominal = dsp.tones.frequencies(span.key)
            freqs = nominal[0] * (1 + low[row, digit] / 100), nominal[1] * (1 + high[row, digit] / 100)
            basis = np.stack([f(2 * np.pi * freq * n) for freq in freqs for f in (np.sin, np.cos)], axis=1)
            weights, *_ = np.linalg.lstsq(basis, x, rcond=None)
            found = dsp.dbm0((weights.reshape(2, 2) ** 2).sum(axis=1) / 2)
            assert found == pytest.approx(levels[:, row, digit], abs=0.001)
            # A wrong frequency would leave a remainder: 0.01 % of 697 Hz turns 0.2 rad in half a second, -17 dB of it.
            rest = np.abs(np.fft.rfft((x - basis @ weights) * window)).max() / (window.sum() / 2)
            assert 20 * np.log10(rest / np.hypot(*weights.reshape(2, 2)[int(np.argmin(found))])) < -80


@pytest.mark.req("DTMF-ENC.3")
def test_the_meter_reads_what_was_asked_for() -> None:
    rng = np.random.default_rng(7)
    offset, level = rng.uniform(-1.5, 1.5, (2, 4, 4)), rng.uniform(-14, -8, (2, 4, 4))
    on_s = rng.integers(50, 120, (4, 4)) / 1000
    made = dsp.encode_batch(
        ["123A", "456B", "789C", "*0#D"],
        lead_s=0.1,
        on_s=on_s,
        low_offset_percent=offset[0],
        high_offset_percent=offset[1],
        level_low_dbm0=level[0],
        level_high_dbm0=level[1],
    )
    for row, key in enumerate(made.keys):
        seen = dsp.measure.digits(np.pad(made.samples[row], (0, 800)))
        assert "".join(each.key for each in seen) == key
        for digit, each in enumerate(seen):
            pair = dsp.tones.frequencies(key[digit])
            assert each.low_hz.value == pytest.approx(pair[0] * (1 + offset[0, row, digit] / 100), rel=1e-4)
            assert each.high_hz.value == pytest.approx(pair[1] * (1 + offset[1, row, digit] / 100), rel=1e-4)
            assert each.low_dbm0.value == pytest.approx(level[0, row, digit], abs=0.05)
            assert each.high_dbm0.value == pytest.approx(level[1, row, digit], abs=0.05)


@pytest.mark.req("DTMF-ENC.7")
def test_strings_times_impairments_in_int16() -> None:
    strings = ["123", "4567", "89"]
    made = dsp.encode_batch(strings, dtype=np.int16)
    chains = [impair.Chain(), impair.Chain(impair.Noise(15.0)), impair.Chain(impair.Clip(12.0), impair.G711("alaw"))]
    heard = impair.grid(made.samples, chains, seed=2, dtype=np.int16)
    assert heard.shape == (3, 3, made.samples.shape[1])
    assert heard.dtype == np.int16
    assert np.array_equal(heard[:, 0], made.samples)
    assert dsp.decode(heard.reshape(9, -1)).texts() == [text for text in strings for _ in chains]
    assert np.array_equal(heard[:, 1], dsp.to_int16(chains[1].apply(made.samples, seed=(2, 1))))
    with pytest.raises(ValueError, match="dtype is float64: expected float32 or int16"):
        impair.grid(made.samples, chains, dtype=np.float64)


def test_int16_is_clipped_not_wrapped() -> None:
    loud = dsp.encode_batch(["5"], dtype=np.int16, level_low_dbm0=3.0, level_high_dbm0=6.0).samples
    soft = dsp.encode_batch(["5"], level_low_dbm0=3.0, level_high_dbm0=6.0).samples
    assert np.array_equal(loud, dsp.to_int16(soft))
    assert loud.max() == 32767
    assert loud.min() == -32768


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100])
def test_digits_without_a_pause_do_not_overlap(rate: int) -> None:
    """Where a digit takes half a sample more, its end and the next beginning are rounded: never past each other."""
    for half in range(1, 40):
        on_s = (half + 0.5) / rate
        spans = dsp.encode_batch(["12" * 150, "3"], rate, on_s=on_s, off_s=0.0, lead_s=0.1).spans(0)
        gaps = [after.start - before.stop for before, after in pairwise(spans)]
        assert set(gaps) <= {0, 1}
        places = np.array([span.start for span in spans]) - (0.1 + np.arange(300) * on_s) * rate
        assert np.abs(places).max() < 0.501


def test_length_and_no_strings() -> None:
    assert dsp.encode_batch(["1", "22"], length_s=1.0).samples.shape == (2, 8000)
    assert dsp.encode_batch([]).samples.shape == (0, 0)
    assert dsp.encode_batch(["", ","]).samples.shape == (2, 16000)
    empty = dsp.encode_batch(["", "12"])
    assert empty.start.tolist() == [[-1, -1], [0, 1600]]
    assert empty.stop.tolist() == [[-1, -1], [800, 2400]]
    assert empty.spans(0) == []


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (
            {"on_s": [0.1, 0.1, 0.1]},
            r"on_s has shape \(3,\): expected one number, one for each of 2 strings, or one for",
        ),
        ({"on_s": np.ones((2, 5))}, r"on_s has shape \(2, 5\): .* of shape \(2, 3\)"),
        (
            {"off_s": [[0.1], [0.1, 0.2]]},
            "off_s has 2 numbers for string 2: expected one number, or one for each of its 3 digits",
        ),
        ({"off_s": [[0.1]]}, "off_s has 1 entries"),
        ({"on_s": [[0.1, 0.1], [0.1, 0.0, 0.1]]}, "on_s is 0 for digit 2 of string 2: expected at least one sample"),
        ({"off_s": [0.1, -0.01]}, "off_s is -0.01 for digit 1 of string 2: expected a number of seconds, not negative"),
        ({"edge_s": -0.1}, "edge_s is -0.1 for digit 1 of string 1"),
        ({"interruption_s": -1}, "interruption_s is -1 for"),
        ({"level_low_dbm0": 500.0}, "level_low_dbm0 is 500 for digit 1 of string 1: expected at most 100 dBm0"),
        ({"level_low_dbm0": float("inf")}, "level_low_dbm0 holds NaN or infinity"),
        ({"low_offset_percent": -100}, "low_offset_percent is -100 for .* a frequency between 0 and 4000 Hz"),
        ({"high_offset_percent": 250}, "high_offset_percent is 250 for"),
        ({"on_s": "long"}, "on_s is 'long': expected numbers"),
        ({"on_s": None}, "on_s is None: expected numbers"),
        ({"on_s": 1j}, "on_s is 1j: expected numbers"),
        ({"lead_s": -1}, "lead_s is -1.0: expected finite seconds"),
        ({"lead_s": [0.0, 0.1, 0.2]}, "lead_s is"),
        ({"pause_s": float("nan")}, "pause_s is nan: expected a finite number of seconds"),
        ({"on_s": 1e12}, "is too long: expected"),
        ({"length_s": 0.1}, "length_s is 0.1: expected at least 0.6, the longest string"),
        ({"length_s": float("nan")}, "length_s is nan"),
        ({"length_s": 1e7}, "strings of 80000000000 samples: expected"),
        ({"dtype": np.int32}, "dtype is int32: expected float32 or int16"),
        ({"rate": 0}, "rate is 0 Hz"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_in_words(figures: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dsp.encode_batch(["12", "345"], **figures)


@pytest.mark.parametrize("strings", ["123", [1, 2], ["12", None]])
def test_what_is_no_sequence_of_texts_is_refused(strings: Any) -> None:
    with pytest.raises(ValueError, match="expected a sequence of texts"):
        dsp.encode_batch(strings)


def test_the_string_with_the_wrong_character_is_named() -> None:
    with pytest.raises(ValueError, match=r"character 'x' at position 3 of '45x6' cannot be dialled"):
        dsp.encode_batch(["123", "45x6"])


def test_an_unknown_argument_is_named() -> None:
    with pytest.raises(TypeError, match="unexpected argument 'levle'"):
        dsp.encode("1", levle=-3)  # type: ignore[call-arg]
