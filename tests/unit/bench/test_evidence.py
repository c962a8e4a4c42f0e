from __future__ import annotations

import pytest

from offhook.bench.flows.evidence import occurrences


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
        ({"data": '{"cut off, 8642'}, 1),
        ({"call_id": "8642"}, 0),
        ({"data": '{"call_id": "8642", "monitor_id": 8642}'}, 0),
        ({"outcome": "ok call=8642 ddi=bound"}, 0),
        ({"outcome": "ok call=8642 code=8642"}, 1),
        ({"hash": "0af8642ce19b"}, 0),
        ({"text": "*8642#"}, 1),
        ({"kind": "code", "code": "8642", "text": "key 8642"}, 0),
        ({"kind": "code", "code": "4711", "text": "key 8642"}, 1),
    ],
)
def test_a_code_is_found_as_a_number_of_its_own_only(row: dict[str, object], found: int) -> None:
    assert occurrences([row], "8642") == found
