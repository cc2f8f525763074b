"""What one caller may ask a collector for how often; `docs/security.md` lists it."""

from collector.rate_limit import SlidingWindow

MINUTE = 60.0
HOUR = 3600.0
ROTATIONS_AN_HOUR = 10
NOTED_REFUSALS_A_MINUTE = 60
"""Refused tokens that enter the audit log: a flood of them must not fill the database."""


LARGEST_ARRIVING_BYTES = 64 * 1024 * 1024
"""Bodies that are arriving at one moment, of all requests together."""


class Limits:
    """The sliding windows of one collector, and what arrives at this moment. For the loop that answers requests alone."""

    def __init__(self, enrolments_per_minute: int) -> None:
        self.arriving_bytes = 0
        self.addresses = SlidingWindow(enrolments_per_minute, MINUTE)
        self.tokens = SlidingWindow(enrolments_per_minute, MINUTE)
        self.rotations = SlidingWindow(ROTATIONS_AN_HOUR, HOUR)
        self.noted_refusals = SlidingWindow(NOTED_REFUSALS_A_MINUTE, MINUTE)
