"""The meter against its goals: errors over the Cramer-Rao bound, and whether its 95 % intervals hold; n = 2,000 a row.

``python benchmarks/dsp_meter.py [TRIALS]``
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from unit.dsp.meter_trials import FIGURES, meter_trials


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"{'S/N':>4} {'on ms':>6} {'edges':>10} {'rms/CRB':>8}   95 % interval holds (mean half-width / empirical)")
    bad = 0
    for known in (True, False):
        for snr_db in (10.0, 20.0, 30.0, 40.0):
            for on_s in (0.04, 0.1, 0.5):
                found = meter_trials(count, snr_db, on_s, known=known, seed=1)
                names = FIGURES[: 5 if known else 6]
                rows = list(zip(names, found.coverage, found.width_ratio, strict=False))
                cells = "  ".join(f"{name} {100 * held:.1f} % ({wide:.2f})" for name, held, wide in rows)
                edges = "known" if known else "estimated"
                print(f"{snr_db:4.0f} {1000 * on_s:6.0f} {edges:>10} {found.rms_to_bound:8.3f}   {cells}", flush=True)
                bad += found.rms_to_bound > (1.1 if known else 1.3)
                bad += sum(bool(held < 0.93 or wide > 1.3) for _, held, wide in rows)
    print("all goals met" if not bad else f"{bad} goals missed")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
