"""Measures: what could save energy, found in the data or entered by hand, one rule a file."""
