"""The commands that touch the database."""
