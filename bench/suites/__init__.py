"""Certification suites: plain pytest."""
