import pytest

from offhook.bench.numbers import DialRule, emergency_in
from offhook.drivers.errors import NotAllowed

RULE = DialRule("lab", ["10xx", "05550100", "*66", "112"], outside_prefix="0")


@pytest.mark.req("BENCH-RUN.8")
@pytest.mark.parametrize("number", ["1001", "10 99", "0 555-0100", "*66", "0(555)0100"])
def test_listed_numbers_are_allowed(number: str) -> None:
    assert RULE.check(number).isascii()


@pytest.mark.req("BENCH-RUN.8")
@pytest.mark.parametrize("number", ["", "100", "10011", "1101", "05550101", "5550100", "*67", "66", "1001#", "١٠٠١"])
def test_others_are_refused(number: str) -> None:
    with pytest.raises(NotAllowed, match="allow list"):
        RULE.check(number)


@pytest.mark.req("BENCH-RUN.8")
@pytest.mark.parametrize("number", ["112", "1 1 2", "911", "999", "15", "17", "18", "000", "110", "118", "119", "112#"])
def test_emergency_numbers_are_refused_even_if_listed(number: str) -> None:
    with pytest.raises(NotAllowed, match="emergency"):
        RULE.check(number)
    with pytest.raises(NotAllowed, match="emergency"):
        RULE.check("0" + number)


@pytest.mark.parametrize(("pattern", "found"), [("1xx", "110"), ("01x", "015"), ("xxx", "000"), ("112", "112")])
def test_patterns_that_take_in_an_emergency_number_are_found(pattern: str, found: str) -> None:
    assert emergency_in(pattern, "0") == found


@pytest.mark.parametrize("pattern", ["10xx", "0033390677069", "2xx", "*66"])
def test_other_patterns_are_harmless(pattern: str) -> None:
    assert emergency_in(pattern, "0") == ""
