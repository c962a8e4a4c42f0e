"""Secrets in a run folder: named, never spelt out, and still found where they leaked."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from record_standin import Bench

from offhook.bench.record import Verdict, judge, open_run
from offhook.bench.record.secrets import Secrets, shown, token
from offhook.bench.session import keep_secrets

CODE, PASSWORD = "864209", "hush-hush"
NAME, WORD = "local code of desk-1", "PBX password"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    bench.record.keep_secret(NAME, CODE)
    bench.record.keep_secret(WORD, PASSWORD, word=True)
    yield bench
    bench.record.close()


def heard(bench: Bench, digits: str, start_s: float = 1.0, channel: int = 0) -> None:
    """Digits on a wire and the observations that the bench's listener makes of them."""
    bench.key(digits, start_s, channel)
    wire = ("ear", "ivr")[channel]
    for index, digit in enumerate(digits):
        bench.record.observe("A", wire, "digit", wire, start_s + 0.2 * index, 0.01, key=digit)


def everything(folder: Path) -> str:
    """Every text in a run folder."""
    texts = [
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file() and path.suffix != ".wav"
    ]
    with sqlite3.connect(folder / "run.sqlite") as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            texts += [str(value) for row in database.execute(f"SELECT * FROM {table}") for value in row]
    database.close()
    return "\n".join(texts)


@pytest.mark.req("ASSOC-SEC.5")
def test_a_code_that_was_keyed_and_judged_is_nowhere_in_the_folder_as_text(bench: Bench) -> None:
    with bench.attempt() as record:
        heard(bench, CODE)
        span = {"from_s": 0.5, "to_s": 5.0}
        record.judge("LOCK-S25.1", "keyed", "digits", wire="ear", expected=CODE, **span)
        record.judge("LOCK-S25.1", "tone", "tone", wire="ear", expected="dial", **span)
        record.judge("LOCK-CODE.2", "elsewhere", "no_digits", wires="*", except_=["ear"], forbidden=CODE, **span)
        record.judge("LOCK-CODE.2", "traffic", "search", forbidden=CODE)
        bench.record.cti(">", 2.0, b"<Login secret='hush-hush'/>")
        record.observe("C", "cti", "cti", "1001", 2.0, 0.01, argument=f"x {PASSWORD} y")
    bench.record.seal()
    text = everything(bench.record.folder)
    assert CODE not in text
    assert PASSWORD not in text
    assert token(WORD) in text
    made = {one.title: one for one in judge(bench.record.folder)}
    assert {title: one.verdict for title, one in made.items()} == {
        "keyed": Verdict.PASS, "tone": Verdict.FAIL, "elsewhere": Verdict.PASS, "traffic": Verdict.PASS,
    }  # fmt: skip
    assert made["keyed"].reason == "heard <local code of desk-1>"
    assert "<local code of desk-1>" in made["tone"].reason
    assert made["keyed"].n == len(CODE)


@pytest.mark.parametrize("where", ["log", "observation", "wire"])
@pytest.mark.req("LOCK-CODE.2")
def test_a_code_that_leaked_is_found_by_the_run_and_by_whoever_judges_it_again(bench: Bench, where: str) -> None:
    with bench.attempt() as record:
        heard(bench, CODE)
        if where == "log":
            record.cti(">", 2.0, f"<MakeCall to='{CODE}'/>".encode())
        elif where == "observation":
            record.observe("K", "cloud", "cloud-step", "A1", 2.0, 0.01, text=f"code {CODE}")
        else:
            heard(bench, CODE, 4.0, channel=1)
        record.judge("LOCK-CODE.2", "traffic", "search", forbidden=[CODE])
        record.judge(
            "LOCK-CODE.2", "wires", "no_digits", wires="*", except_="ear", forbidden=CODE, from_s=0.5, to_s=9.0
        )
    bench.record.seal()
    with open_run(bench.record.folder) as evidence:
        stored = {one.title: (one.verdict, one.reason, one.figure) for one in evidence.judgements()}
    again = {one.title: (one.verdict, one.reason, one.figure) for one in judge(bench.record.folder)}
    assert stored == again
    failed = "wires" if where == "wire" else "traffic"
    assert [title for title, made in again.items() if made[0] is Verdict.FAIL] == [failed]
    assert CODE not in again[failed][1]


def test_a_code_nearly_heard_gives_nothing_away(bench: Bench) -> None:
    with bench.attempt() as record:
        heard(bench, "8644209", 1.0)
        heard(bench, CODE, 10.0)
        made = record.judge("LOCK-S25.1", "doubled", "digits", wire="ear", expected=CODE, from_s=0.5, to_s=5.0)
        assert made.verdict is Verdict.FAIL
        assert made.figure == 1.0
    bench.record.seal()
    (again,) = judge(bench.record.folder)
    assert (again.verdict, again.figure) == (Verdict.FAIL, 1.0)
    for reason in (made.reason, again.reason):
        assert not re.search(r"\d{4,}", re.sub(r"\d+\.\d+", "", reason)), reason


def test_a_password_that_was_written_is_found_by_its_mask(bench: Bench) -> None:
    with bench.attempt() as record:
        record.cti("<", 1.0, f"Secret: {PASSWORD}".encode())
        record.judge("ASSOC-X", "traffic", "search", forbidden=[PASSWORD, "nothing"])
    bench.record.seal()
    assert [one.verdict for one in judge(bench.record.folder)] == [Verdict.FAIL]
    assert PASSWORD not in everything(bench.record.folder)


def test_messages_of_tests_are_masked(bench: Bench) -> None:
    with pytest.raises(ValueError, match=CODE), bench.attempt():
        raise ValueError(f"keyed {CODE}, {PASSWORD}, and at 1{CODE}.5 s")
    bench.record.seal()
    (made,) = judge(bench.record.folder).attempts
    assert made.attempt.message == f"ValueError: keyed <{NAME}>, <{WORD}>, and at 1{CODE}.5 s"


def test_two_runs_hash_the_same_code_differently() -> None:
    first, second = Secrets(), Secrets()
    for secrets in (first, second):
        secrets.add(NAME, CODE)
    assert first.on_record()["known"] != second.on_record()["known"]
    assert CODE not in json.dumps(first.on_record())
    assert Secrets.read(first.on_record()).on_record() == first.on_record()


def test_what_a_reader_sees_of_a_spec() -> None:
    assert shown({"secret": NAME}) == "the local code of desk-1"
    assert shown("4711") == "'4711'"


def test_a_run_without_secrets_is_as_it_was(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.attempt() as record:
        record.judge("X", "traffic", "search", forbidden="4711")
    bench.record.seal()
    with open_run(bench.record.folder) as evidence:
        assert not evidence.secrets
        assert evidence.judgements()[0].spec == {"forbidden": "4711"}


def test_only_a_password_that_cannot_be_mistaken_is_masked_as_it_is_written(tmp_path: Path) -> None:
    accounts = {"alice": "correct-horse", "bob": "1234", "carol": "pw", "dave": "desk"}
    phone = {"desk-1": SimpleNamespace(local_code="86420")}
    model = SimpleNamespace(phone=phone, pbx=None, cloud=None, accounts=accounts)
    text = "".join(f'{name} = "{word}"\n' for name, word in accounts.items()) + "[phone.desk-1]\n"
    rig = SimpleNamespace(model=model, loaded=SimpleNamespace(text=text))
    bench = Bench(tmp_path)
    keep_secrets(bench.record, rig)  # type: ignore[arg-type]
    with bench.attempt() as record:
        record.cti(">", 1.0, b"correct-horse 1234 pw desk-1 86420")
    with pytest.raises(ValueError, match="desk-1"), bench.attempt("test_x.py::test_y"):
        raise ValueError("desk-1: pw of correct-horse")
    bench.record.seal()
    assert judge(bench.record.folder).attempts[1].attempt.message == "ValueError: desk-1: pw of <password of alice>"
    line = json.loads((bench.record.folder / "cti.log").read_text("utf-8"))
    assert line["text"] == "<password of alice> 1234 pw desk-1 86420"
    with open_run(bench.record.folder) as evidence:
        assert set(evidence.meta()["secrets"]["known"]) == {
            "local code of desk-1", "password of alice", "password of bob", "password of carol", "password of dave",
        }  # fmt: skip
