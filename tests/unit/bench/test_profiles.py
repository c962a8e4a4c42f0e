"""Profiles: what may stand in one, how its mistakes are told, and what counts as a deviation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from offhook.bench.cli import execute
from offhook.bench.profiles import PROFILES, ProfileError, load_profile, schema
from offhook.bench.thresholds import CERTIFICATION, SMOKE, Thresholds, deviations
from offhook.drivers.errors import ConfigError

HEAD = 'schema_version = 1\nname = "acme 2026"\n'


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "acme.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_built_in_profiles_deviate_from_nothing() -> None:
    assert load_profile("smoke").limits == SMOKE == Thresholds()
    assert load_profile("certification").limits.digit_errors == 1e-4
    assert load_profile("certification").rates is True
    assert all(not profile.deviations for profile in PROFILES.values())


@pytest.mark.req("REP-PROF.1")
def test_each_limit_that_differs_is_a_deviation_with_its_direction(tmp_path: Path) -> None:
    limits = "first_ring_s = 3.5\nseizure_s = 1.0\nassociation_success = 0.95\nfirst_context_digit_min_s = 0.3\n"
    profile = load_profile(written(tmp_path, f'{HEAD}based_on = "certification"\n[limits]\n{limits}notified_s = 2.0\n'))
    found = {one.key: (one.id, one.built_in, one.used, one.effect) for one in profile.deviations}
    assert found == {
        "first_ring_s": ("TH-04", 2.0, 3.5, "loosened"),
        "seizure_s": ("TH-05", 2.0, 1.0, "tightened"),
        "first_context_digit_min_s": ("TH-06", 0.2, 0.3, "tightened"),
        "association_success": ("TH-11", 0.99, 0.95, "loosened"),
    }
    assert profile.limits.digit_errors == CERTIFICATION.digit_errors
    assert "loosened TH-04 S6 to the first ring of the phone: 3.5 s, built-in 2 s" in profile.lines()
    assert json.loads(json.dumps(profile.on_record()))["deviations"][0]["effect"] == "loosened"


def test_options_are_taken_and_those_that_prove_less_are_deviations(tmp_path: Path) -> None:
    text = f'{HEAD}based_on = "certification"\n[options]\nrepeat = 300\nrates = false\nsuites = ["lock"]\n'
    profile = load_profile(written(tmp_path, text))
    assert (profile.repeat, profile.rates, profile.suites) == (300, False, ("lock",))
    assert [(one.key, one.effect) for one in profile.deviations] == [("rates", "loosened"), ("suites", "changed")]


def test_every_mistake_is_told_at_once_with_line_and_key(tmp_path: Path) -> None:
    text = (
        'schema_version = 2\nnaem = "acme"\n[limits]\nfirst_ring = 3.0\nseizure_s = -1\nnotified_s = "2 s"\n'
        "decision_s = nan\ndigit_errors = 1.5\n[options]\nrepeat = 0\n"
    )
    with pytest.raises(ProfileError) as caught:
        load_profile(written(tmp_path, text))
    told = str(caught.value)
    assert len(caught.value.mistakes) == 9
    for expected in (
        "acme.toml:1  schema_version: 2",
        "acme.toml:2  naem: unknown key (try: name)",
        "acme.toml:1  name: missing",
        "acme.toml:4  limits.first_ring: unknown key (try: first_ring_s)",
        "acme.toml:5  limits.seizure_s: -1",
        "acme.toml:6  limits.notified_s: '2 s'",
        "acme.toml:7  limits.decision_s: nan",
        "acme.toml:8  limits.digit_errors: 1.5",
        "acme.toml:10  options.repeat: 0",
    ):
        assert expected in told, told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}[limits]\nfirst_context_digit_min_s = 4.0\n", "is not below first_context_digit_max_s"),
        ('schema_version = 1\nname = "smoke"\n', "is a built-in profile"),
        (f'{HEAD}based_on = "acme"\n', "based_on: 'acme'"),
        ("name = acme", "not TOML"),
        (f"{HEAD}[limits]\nfirst_ring_s = true\n", "limits.first_ring_s: True"),
    ],
)
def test_what_contradicts_itself_or_is_no_profile_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_profile(written(tmp_path, text))


def test_a_profile_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="certification"):
        load_profile("certificaton")
    with pytest.raises(ConfigError, match=r"path to a \.toml"):
        load_profile("no-such-file.toml")


def test_equal_limits_are_no_deviation() -> None:
    assert deviations(SMOKE, SMOKE) == []
    assert [one.effect for one in deviations(CERTIFICATION, SMOKE)] == ["tightened"]


def test_the_schema_names_every_limit() -> None:
    limits = json.loads(schema())["$defs"]["Limits"]["properties"]
    assert set(limits) == set(Thresholds.__dataclass_fields__)
    assert limits["first_ring_s"]["description"].startswith("TH-04")


def test_the_command_prints_either_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["schema", "profile"]) == 0
    assert "first_ring_s" in json.loads(capsys.readouterr().out)["$defs"]["Limits"]["properties"]
    assert execute(["schema"]) == 0
    assert "phone" in json.loads(capsys.readouterr().out)["properties"]


def test_the_profile_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert [one.key for one in load_profile(written(tmp_path, example)).deviations] == ["first_ring_s", "suites"]


def test_a_suite_that_there_is_not_is_a_mistake_of_the_profile(tmp_path: Path) -> None:
    file = written(tmp_path, f'{HEAD}[options]\nrepeat = 0\nsuites = ["lock", "asociation"]\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(file, ("association", "lock"))
    lines = [(line, text) for line, text in caught.value.mistakes if "suite" in text]
    assert lines == [(5, "options.suites.1: no suite 'asociation' (try: association)")]
    assert len(caught.value.mistakes) == 2
