"""Grafana boards as Python that yields JSON. The boards come with a later issue; this package only names the room."""
