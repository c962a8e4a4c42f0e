"""Turns a run folder into JSON, JUnit and HTML."""
