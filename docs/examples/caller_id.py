"""Sends caller id, Bell 202 as in North America, over a noisy line and reads it at the far end."""

import numpy as np

from offhook.dsp import callerid, impair


def main() -> None:
    caller = callerid.CallerId("MDMF", number="5550100", name="LAB 3", date="11211012")
    sent = np.pad(callerid.encode(caller, rate=8000), 4000)
    heard = impair.Chain(impair.Noise(20.0), impair.G711("ulaw")).apply(sent, 8000, seed=1)
    for message in callerid.decode(heard, 8000):
        print(message.number, message.name, message.date, "checksum right" if message.checksum_ok else "checksum wrong")


if __name__ == "__main__":
    main()
