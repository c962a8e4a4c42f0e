"""The cloud service under test, as an account holder and an administrator see it over its API."""
