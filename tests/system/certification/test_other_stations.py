"""Stations that are not the shipped one: other numbers, wiring, region and options pass the same suites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import Runner

from offhook.bench.record import judge
from offhook.bench.record.schema import Verdict

SHIPPED = Path(__file__).parents[3] / "fixtures" / "stations" / "simulated.toml"
NUMBERS = {
    "1001": "2201",
    "1002": "2202",
    "1003": "2203",
    "1004": "2204",
    "8642": "90210",
    "+33390677069": "+498912345",
    "0033390677069": "00498912345",
}
MATRIX = 'rows = ["keys1/0", "keys1/1", "keys1/2", "keys1/3"], columns = ["keys1/4", "keys1/5", "keys1/6"]'


def elsewhere() -> str:
    """The shipped station in another country: other accounts, one relay a key on one phone, a longer local code."""
    text = SHIPPED.read_text("utf-8").replace('region = "US"', 'region = "EU"')
    for old, new in NUMBERS.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    text = text.replace("{ alice = ", "{ carol = ").replace(", bob = ", ", dave = ")
    relays = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    keys = ", ".join(f'"{key}" = "keys1/{relay}"' for key, relay in zip("123456789*0#", relays, strict=True))
    assert MATRIX in text
    return text.replace(MATRIX, f"keys = {{ {keys} }}")


@pytest.mark.timeout(900)
@pytest.mark.req("ASSOC-S21.4")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("s3       = true", "s3       = false"),
        ("context  = true", "context  = false"),
        ("ddi      = true", "ddi      = false"),
        ('lock     = "notify"', 'lock     = "prefix"'),
        ('lock     = "notify"', 'lock     = "none"'),
        (', dave = "bob-pw"', ""),
    ],
    ids=["as it is", "no S3", "no context id", "no DDI", "lock by prefix", "no lock", "one account"],
)
def test_another_station_passes(tmp_path: Path, old: str, new: str) -> None:
    text = elsewhere()
    assert old in text
    file = tmp_path / "lab.toml"
    file.write_text(text.replace(old, new) if old else text, "utf-8")

    # On the shipped station all phones go through all cases; here some show what is alike for each, and one shows all.
    suites = ["--suite", "association", "--suite", "lock", "--only", "desk-1 or desk-3"]
    suites += ["--suite", "endings", "--only", "desk-1 or desk-3 or account"] if "dave" in old else []
    cases = suites if old else ["--only", "not (desk-2 or desk-3 or desk-4)"]

    ended = Runner(tmp_path).run(str(file), "--seed", "77", *cases)

    assert ended.code == 0, ended.err
    outcomes = {each["outcome"] for each in json.loads((ended.folder / "results.json").read_text("utf-8"))["attempts"]}
    assert outcomes <= {"PASS", "NOT_APPLICABLE"}


@pytest.mark.timeout(200)
def test_a_local_code_that_is_also_a_number_accuses_nobody(tmp_path: Path) -> None:
    """It is rightly in every message about that extension: whether it leaked cannot be told, and that is said."""
    file = tmp_path / "lab.toml"
    file.write_text(SHIPPED.read_text("utf-8").replace('"8642"', '"1002"'), "utf-8")

    ended = Runner(tmp_path).run(str(file), "--only", "a_locked_phone and desk-1 or no_secret")

    assert ended.code == 3, ended.err
    assert "local code of desk-1 is also a number of this station" in ended.err
    result = judge(ended.folder)
    assert {one.req for one in result if one.verdict is Verdict.NOT_RUN} == {"LOCK-CODE.2", "ASSOC-SEC.1"}
    assert not [one for one in result if one.verdict is Verdict.FAIL]
