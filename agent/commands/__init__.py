"""The agent's commands, one a module."""
