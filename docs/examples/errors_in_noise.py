"""How often a digit is lost at a given S/N, with its 95 % interval: strings times lines as one array."""

import numpy as np

from offhook import dsp
from offhook.dsp import impair

STRINGS, DIGITS = 40, 25
RATIOS_DB = (15.0, 6.0, 0.0, -3.0)


def main() -> None:
    rng = np.random.default_rng(1)
    strings = ["".join(rng.choice(list("0123456789*#"), DIGITS)) for _ in range(STRINGS)]
    shape = (STRINGS, DIGITS)
    made = dsp.encode_batch(
        strings,
        on_s=0.05,
        off_s=0.05,
        lead_s=0.1,
        level_low_dbm0=rng.uniform(-14, -8, shape),
        level_high_dbm0=rng.uniform(-14, -8, shape),
        low_offset_percent=rng.uniform(-1, 1, shape),
        high_offset_percent=rng.uniform(-1, 1, shape),
    )
    lines = [impair.Chain(impair.Noise(ratio_db), impair.G711("alaw")) for ratio_db in RATIOS_DB]
    heard = impair.grid(made.samples, lines, seed=7, dtype=np.int16)  # (strings, lines, samples)
    for line, ratio_db in enumerate(RATIOS_DB):
        found = dsp.decode(heard[:, line])
        right = 0
        for row in range(STRINGS):
            keys = {(digit.key, round(digit.start_s, 1)) for digit in found if digit.channel == row}
            right += sum((span.key, round(span.start / 8000, 1)) in keys for span in made.spans(row))
        lost = dsp.stats.clopper_pearson(STRINGS * DIGITS - right, STRINGS * DIGITS)
        print(f"S/N {ratio_db:3.0f} dB: lost {lost}")


if __name__ == "__main__":
    main()
