"""`python -m agent` is `ictagent`, for environments where the command is not on the path."""

from agent.cli import main

main(prog_name="ictagent")
