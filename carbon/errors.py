"""The exceptions of the carbon room. All are `CarbonError`, so that one `except` at the edge is enough."""


class CarbonError(Exception):
    """A figure could not be calculated; the message says which and why."""


class FactsError(CarbonError):
    """Energy facts do not fit together or cannot be read."""


class CalendarError(CarbonError):
    """A date, period or time zone makes no sense here."""


class FactorError(CarbonError):
    """There is no factor for this, or the factors do not allow it."""


class FactorFileError(FactorError):
    """A file of conversion factors is not the published one: the message names the cell, the remedy says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class TreeError(CarbonError):
    """An edge of the metering tree cannot be; the remedy says what can."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
