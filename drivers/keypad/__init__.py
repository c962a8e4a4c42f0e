"""Keypads: one contact a key, or a row and a column contact."""
