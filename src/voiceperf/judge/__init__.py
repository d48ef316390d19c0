"""Judging: pure functions from samples and outputs to estimates and verdicts. No I/O, no clock, no engine."""
