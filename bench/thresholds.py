"""Default limits (requirements section 20); a profile may replace any of them and the report prints what it changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Latencies in seconds, named after what is timed; the comment is the id in the requirements."""

    code_delivered_s: float = 2.0  # TH-01
    monitor_confirmed_s: float = 1.0  # TH-02
    lock_effective_s: float = 3.0  # TH-03
    first_ring_s: float = 2.0  # TH-04
    seizure_s: float = 2.0  # TH-05
    first_context_digit_min_s: float = 0.2  # TH-06
    first_context_digit_max_s: float = 3.0  # TH-06
    context_digits_s: float = 10.0  # TH-06
    prompt_onset_s: float = 3.0  # TH-07
    decision_s: float = 2.0  # TH-08
    notified_s: float = 2.0  # TH-09


SMOKE = Thresholds()
