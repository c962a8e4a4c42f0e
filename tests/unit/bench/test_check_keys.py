import pytest

from offhook.bench.check_keys import diagnose
from offhook.bench.station_model import KEYS, Keypad

MATRIX = Keypad(rows=["k/0", "k/1", "k/2", "k/3"], columns=["k/4", "k/5", "k/6"])
SINGLE = Keypad(keys={key: f"k/{number}" for number, key in enumerate(KEYS)})
WELL = {key: key for key in KEYS}


def test_a_good_keypad_has_no_diagnosis() -> None:
    assert diagnose(MATRIX, WELL) == ("", "")


@pytest.mark.parametrize(
    ("changed", "found", "hint"),
    [
        (dict.fromkeys("369#", ""), 'key "3": no tone is heard', "is k/6 wired to column 3?  (keys 6, 9 and # too)"),
        (dict.fromkeys("456", ""), 'key "4": no tone is heard', "is k/1 wired to row 2?  (keys 5 and 6 too)"),
        (
            {"5": ""},
            'key "5": no tone is heard',
            "the key itself, or its pad",
        ),
        ({"1": "2", "2": "1"}, 'key "1": "2" is heard', "exchanged?  (key 2 too)"),
        ({"7": "777"}, 'key "7" is heard 3 times', "contacts bounce at k/2 or k/4"),
        (dict.fromkeys(KEYS, ""), "no key is heard", "handset's cable"),
        (
            {key: "8" + key for key in KEYS},
            'key "8" is heard whatever is pressed',
            "is it stuck, or k/2 or k/5 closed?",
        ),
    ],
)
def test_a_broken_matrix_is_diagnosed(changed: dict[str, str], found: str, hint: str) -> None:
    diagnosis = diagnose(MATRIX, WELL | changed)

    assert diagnosis[0] == found
    assert hint in diagnosis[1]


def test_one_contact_a_key_is_named_by_its_key() -> None:
    assert diagnose(SINGLE, WELL | {"4": ""}) == ('key "4": no tone is heard', 'is k/3 wired to key "4"?')
