"""Names every call-progress tone, digit and voice in a recording: ``python what_is_on_the_line.py call.wav US``."""

import sys

from offhook import dsp
from offhook.dsp import progress


def main(path: str, plan: str = "US") -> None:
    audio = dsp.wav.read(path)
    line = audio.samples[0]
    found = [(tone.start_s, tone.end_s, tone.name) for tone in progress.classify(line, audio.rate, plan)]
    found += [(digit.start_s, digit.end_s, f"digit {digit.key}") for digit in dsp.decode(line, audio.rate)]
    found += [(start_s, end_s, "voice") for start_s, end_s in progress.voice(line, audio.rate)]
    for start_s, end_s, name in sorted(found):
        print(f"{start_s:6.2f} to {end_s:6.2f} s  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
