"""Hearing agents, the database, the stores, the pages: the part that runs centrally."""
