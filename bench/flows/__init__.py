"""The flows: scripts of steps, the same on every station."""
