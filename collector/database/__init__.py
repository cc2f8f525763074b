"""The database: its tables, how it is opened and migrated, and the one thread that writes to it."""
