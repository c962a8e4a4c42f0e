"""ASSOC-VAR.1: with or without S3, lock, context id and DDI, all sixteen on the whole simulated station."""

from __future__ import annotations

import itertools

import pytest
from lab import LabBuilder

from offhook.bench.flows import associate

COMBINATIONS = list(itertools.product([True, False], repeat=3))


@pytest.mark.req("ASSOC-VAR.1", "ASSOC-S3.2", "ASSOC-S21.4")
@pytest.mark.parametrize("lock", [False, True], ids=["unlocked", "locked"])
def test_every_combination_of_the_options_associates(labs: LabBuilder, lock: bool) -> None:
    for s3, context, ddi in COMBINATIONS:
        with labs.open() as lab:
            changed = {"s3": s3, "context": context, "ddi": ddi}
            lab.station.options = lab.station.options.model_copy(update=changed)
            alice, desk = lab.station.account("alice"), lab.station.phone("desk-1")

            flow = associate(lab.station, alice, desk, lock=lock)

            state = alice.state(flow.association)
            assert (state.state, state.ddi) == ("NOTIFIED", "+33390671001" if ddi else ""), changed
            assert ("S3" in flow.steps, bool(flow.context), "S25" in flow.steps) == (s3, context, lock)
            assert {judgement.verdict for judgement in lab.judged()} == {"PASS"}, changed
