"""Digits are counted by alignment, as a person would."""

from __future__ import annotations

import pytest

from offhook.bench.characterize.tally import Tally, align, compare


@pytest.mark.req("DTMF-RX.1")
@pytest.mark.parametrize(
    ("sent", "heard", "right", "substituted", "lost", "extra"),
    [
        ("1234", "1234", 4, 0, 0, 0),
        ("1234", "124", 3, 0, 1, 0),
        ("1234", "12234", 4, 0, 0, 1),
        ("1234", "1934", 3, 1, 0, 0),
        ("1234", "", 0, 0, 4, 0),
        ("", "12", 0, 0, 0, 2),
        ("123456", "23456", 5, 0, 1, 0),  # the first lost does not make all others wrong
        ("5555", "55", 2, 0, 2, 0),
        ("12", "34", 0, 2, 0, 0),
    ],
)
def test_counts(sent: str, heard: str, right: int, substituted: int, lost: int, extra: int) -> None:
    found = compare(sent, heard)
    assert (found.right, found.substituted, found.lost, found.extra) == (right, substituted, lost, extra)
    assert found.sent == len(sent)
    assert found.right + found.substituted + found.lost == found.sent
    assert found.errors == substituted + lost + extra


@pytest.mark.req("DTMF-RX.1")
def test_confusion_says_what_became_of_what() -> None:
    assert compare("1123", "112D").confusion == {"3D": 1}
    assert compare("12", "1").confusion == {"2-": 1}
    assert compare("1", "17").confusion == {"+7": 1}
    assert align("12A4", "1A44") == [("1", "1"), ("2", "-"), ("A", "A"), ("+", "4"), ("4", "4")]


def test_tallies_add_up() -> None:
    total = compare("12", "13") + compare("45", "4") + Tally()
    assert (total.sent, total.right, total.substituted, total.lost) == (4, 2, 1, 1)
    assert total.confusion == {"23": 1, "5-": 1}
    assert total.share.low < 0.5 < total.share.high


def test_accepted_and_ignored_are_99_and_1_percent() -> None:
    assert Tally(sent=200, right=198, lost=2).accepted
    assert not Tally(sent=200, right=197, lost=3).accepted
    assert not Tally(sent=200, right=200, extra=3).accepted
    assert Tally(sent=200, lost=198, right=1, substituted=1).ignored
    assert not Tally(sent=200, lost=197, right=3).ignored
