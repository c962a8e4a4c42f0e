"""A step that never came is a verdict on the requirements it would have proven, not only on the test around it."""

from __future__ import annotations

from offhook.bench.flows.attempt import AssociationAttempt
from offhook.bench.flows.steps import StepFailed

START_S = 2.0
"""Within this the service goes on by itself: S4 after S1 or S3, S5 and S6 after what they wait for."""
PROMPT_S = 3.0
"""Within this a locked phone asks for its code."""


def judge_never_came(flow: AssociationAttempt, failed: StepFailed) -> None:
    """FAIL what the missing step would have proven: its time since the last step that came is beyond its limit."""
    reqs, limit_s = _proven_by(flow).get(failed.step, ((), 0.0))
    if failed.step == "S11" and "S11" in flow.steps:  # an event of the call: without the first, nothing is monitored
        reqs = ("ASSOC-S11.1", "ASSOC-S11.2") if failed.expected.startswith("Originated") else ("ASSOC-S11.2",)
    marked = [seen for name, seen in flow.steps.items() if name not in ("lift", "local-code")]
    if not marked:
        return
    last = max(marked, key=lambda seen: seen.time_s)
    for req in reqs:
        spec = {"from": last.id, "to": None, "at_most": limit_s}
        flow.judge(req, f"{failed.step}: {failed.expected}", "interval", unit="s", **spec)
    if failed.step in ("S11", "S31") and flow.call_id and "S16" in flow.steps:
        where = {"name": "Established", "f_call_id": flow.call_id}
        start_s, now_s = flow.steps["S16"].time_s, flow.station.clock.now_s()
        flow.count("ASSOC-S31.1", "the IVR answers", "cti", start_s, now_s, where=where, at_least=1)


def _proven_by(flow: AssociationAttempt) -> dict[str, tuple[tuple[str, ...], float]]:
    """Requirements by step, and what the step may take at most, in seconds. S27 is judged by its digits."""
    limits = flow.limits
    lock = ("LOCK-S5.1", "LOCK-S5.2" if flow.lock == "prefix" else "LOCK-S13.1")
    context_s = limits.first_context_digit_max_s + limits.context_digits_s
    return {
        "S1": (("ASSOC-S1.1",), START_S),
        "S21": (("ASSOC-S21.1",), limits.code_delivered_s),
        "S2": (("ASSOC-S2.1",), limits.code_delivered_s),
        "S4": (("ASSOC-S4.1",) if "S3" in flow.steps else ("ASSOC-S4.1", "ASSOC-S3.2"), START_S),
        "S11": (("ASSOC-S11.1",), limits.monitor_confirmed_s),
        "S5": (lock, START_S),
        "S22": (lock[1:], limits.lock_effective_s),
        "S6": (("ASSOC-S6.1", "ASSOC-S6.2"), START_S),
        "S14": (("ASSOC-S14.1",), limits.monitor_confirmed_s),
        "S15": (("ASSOC-S15.1",), limits.first_ring_s),
        "S24": (("LOCK-S24.1",), PROMPT_S),
        "S25": (("LOCK-S25.1",), limits.seizure_s),
        "S16": (("ASSOC-S16.1",) if flow.lock == "none" else ("ASSOC-S16.1", "LOCK-S25.1"), limits.seizure_s),
        "S31": (("ASSOC-S16.2",) if flow.context else ("ASSOC-S31.1",), context_s if flow.context else START_S),
        "S32": (("ASSOC-S32.1",), limits.decision_s),
        "S33": (("ASSOC-S33.1",), limits.prompt_onset_s),
        "S8": (("ASSOC-S8.1",), limits.decision_s),
        "S9": (("ASSOC-S9.1",), limits.decision_s),
        "S10": (("ASSOC-S10.1",), limits.decision_s),
        "S36": (("ASSOC-S36.1",), limits.notified_s),
    }
