"""The peers' own tests, run against ours."""
