"""Measures of an organisation: kept with their state, found in its data, and what they come to."""
