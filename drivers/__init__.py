"""One file per real thing on a wire; see the protocols in audio, relay, keypad, sense, cti and cloud."""
