"""Measuring: the only room that reads a clock."""
