"""Digits while they are keyed, from raw samples: ``rec -t s16 -r 8000 -c 1 - | python live_digits.py``.

``Onset`` comes as soon as a digit is sure, ``Digit`` when it has ended and all about it is known.
"""

import sys

import numpy as np

from offhook import dsp


def main() -> None:
    receiver = dsp.Decoder(rate=8000)
    while data := sys.stdin.buffer.read(160):  # 10 ms
        for event in receiver.feed(np.frombuffer(data, "<i2")):
            if isinstance(event, dsp.Onset):
                print(f"{event.key} begins at {event.time_s:.2f} s", flush=True)
            else:
                print(f"{event.key} lasted {1000 * (event.end_s - event.start_s):.0f} ms", flush=True)


if __name__ == "__main__":
    main()
