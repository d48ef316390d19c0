"""Showing: one exporter a file. Nothing here measures or judges."""
