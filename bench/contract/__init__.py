"""One suite per driver protocol; the acceptance test of a new driver."""
