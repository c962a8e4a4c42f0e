from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from offhook.bench.flows.association import Association
from offhook.bench.flows.evidence import judge_local_code_stayed, occurrences


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"text": "8642"}, 1),
        ({"text": "code 8642#"}, 1),
        ({"number": 8642}, 1),
        ({"seq": 8642, "step": "S4"}, 0),
        ({"text": "18642"}, 0),
        ({"text": "86420"}, 0),
        ({"at_s": 12.8642}, 0),
        ({"text": "at 12.8642 s"}, 0),
        ({"text": "at 8642.33 s"}, 0),
        ({"text": "key 8642."}, 1),
        ({"text": "8642.wav"}, 1),
        ({"text": None}, 0),
        ({"data": '{"answered_at_s": 8642.33307009, "port": 1}'}, 0),
        ({"data": '{"answered_at_s": 8642.0}'}, 0),
        ({"data": '{"digits": ["1", {"code": 8642}]}'}, 1),
        ({"data": '{"dialled": "*8642"}'}, 1),
        ({"data": '{"8642": true}'}, 1),
        ({"data": '{"cut off, 8642'}, 1),
        ({"data": "[" * 100_000 + " 8642"}, 1),
        ({"call_id": "8642"}, 0),
        ({"data": '{"call_id": "8642", "monitor_id": 8642}'}, 0),
        ({"outcome": "ok call=8642 ddi=bound"}, 0),
        ({"outcome": "ok call=d4dbbdb9-5ce5-4564-8642-b4c4b157ff1e ddi=bound"}, 0),
        ({"outcome": "ok call=8642 code=8642"}, 1),
        ({"hash": "0af8642ce19b"}, 0),
        ({"text": "*8642#"}, 1),
        ({"kind": "code", "code": "8642", "text": "key 8642"}, 0),
        ({"kind": "code", "code": "4711", "text": "key 8642"}, 1),
    ],
)
def test_a_code_is_found_as_a_number_of_its_own_only(row: dict[str, object], found: int) -> None:
    assert occurrences([row], "8642") == found


class _Looking:
    """An association, and what is said of it afterwards."""

    def __init__(self, codes_drawn: set[str]) -> None:
        self.said: list[str] = []
        self.phone = SimpleNamespace(name="desk-1", local_code="8642")
        self.steps = {name: SimpleNamespace(time_s=1000.0) for name in ("S1", "lift")}
        self.station = SimpleNamespace(
            codes_drawn=codes_drawn,
            context_ids=set(),
            model=SimpleNamespace(phone={}),
            clock=SimpleNamespace(now_s=lambda: 1030.0),
            cloud=SimpleNamespace(dump=dict),
            not_run=lambda req, why: self.said.append(f"NOT_RUN {why}"),
        )

    def judge(self, req: str, title: str, kind: str, **spec: Any) -> None:
        self.said.append(title)


@pytest.mark.parametrize(("drawn", "judged"), [(set(), True), ({"4711"}, True), ({"4711", "8642"}, False)])
def test_an_association_code_that_is_the_local_code_accuses_nobody(drawn: set[str], judged: bool) -> None:
    """Its own, or that of a phone that is worked at the same time."""
    flow = _Looking(drawn)
    judge_local_code_stayed(cast(Association, flow))
    assert ("local code on any other wire" in flow.said) is judged
    assert any("NOT_RUN" in one and "by chance" in one for one in flow.said) is not judged
