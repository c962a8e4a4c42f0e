"""Telephone signals as pure functions on numpy arrays; needs numpy alone."""
