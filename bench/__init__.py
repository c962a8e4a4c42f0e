"""The harness: stations, runs, flows, suites, evidence."""
