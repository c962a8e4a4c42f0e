"""The digits of a recording, and why the rest was none: ``python digits_of_file.py call.wav``."""

import sys

from offhook import dsp


def main(path: str) -> None:
    audio = dsp.wav.read(path)
    digits, rejected = dsp.explain(audio.samples, audio.rate)
    for digit in digits:
        lasted_ms = 1000 * (digit.end_s - digit.start_s)
        print(f"{digit.start_s:.3f} s  {digit.key}  {lasted_ms:.0f} ms  {digit.twist_db:+.1f} dB")
    for candidate in rejected:
        print(f"{candidate.start_s:.3f} s  no {candidate.key}: {candidate.reason}")


if __name__ == "__main__":
    main(sys.argv[1])
