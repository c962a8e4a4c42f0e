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
        ({"text": None}, 0),
        ({"hash": "0af8642ce19b"}, 0),
        ({"text": "*8642#"}, 1),
        ({"kind": "code", "code": "8642", "text": "key 8642"}, 0),
        ({"kind": "code", "code": "4711", "text": "key 8642"}, 1),
    ],
)
def test_a_code_is_found_as_a_number_of_its_own_only(row: dict[str, object], found: int) -> None:
    assert occurrences([row], "8642") == found
