"""What each digit of a recording measures, every figure with its uncertainty: ``python meter.py call.wav``."""

import sys

from offhook import dsp


def main(path: str) -> None:
    audio = dsp.wav.read(path)
    for one in dsp.measure.digits(audio.samples[0], audio.rate):
        print(
            f"{one.key}  {one.low_hz.value:.2f} +- {one.low_hz.u:.2f} Hz  "
            f"{one.high_hz.value:.2f} +- {one.high_hz.u:.2f} Hz  "
            f"{one.low_dbm0.value:.2f}/{one.high_dbm0.value:.2f} dBm0  {1000 * one.duration_s.value:.2f} ms"
        )


if __name__ == "__main__":
    main(sys.argv[1])
