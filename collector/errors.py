"""The collector's exceptions. Lower libraries' errors are translated into these where they enter.

Each has a stable `code` for machines, a message that names the thing, and a remedy; the HTTP edge turns them into
`{"error": {"code", "message", "remedy"}}` with the exception's status.
"""


class CollectorError(Exception):
    """Something went wrong that the user should hear of: what, and what to do."""

    code = "internal"
    status = 500

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class ReportUnreadable(CollectorError):
    """The report's envelope is wrong: the whole report is refused. `field` names what is wrong."""

    code = "report_unreadable"
    status = 400

    def __init__(self, field: str, message: str, remedy: str = "") -> None:
        super().__init__(f"{field}: {message}", remedy)
        self.field = field


class ReportTooLarge(CollectorError):
    """The body is larger than a collector takes."""

    code = "report_too_large"
    status = 413


class SequenceConflict(CollectorError):
    """The same report number came with other content: the agent starts a new stream."""

    code = "sequence_conflict"
    status = 409


class CloneDetected(CollectorError):
    """The key is another host's, of which the sender is a copy: it enrols for a key of its own and sends again."""

    code = "clone_detected"
    status = 409


class LeaseLost(CollectorError):
    """Another collector polls the device by now, or may: what this one read of it is not recorded."""

    code = "lease_lost"


class NotAuthorised(CollectorError):
    """No key, an unknown key, or a revoked one."""

    code = "not_authorised"
    status = 401


class Forbidden(CollectorError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(CollectorError):
    """There is no such thing."""

    code = "not_found"
    status = 404


class BadRequest(CollectorError):
    """A parameter is wrong; the message names it."""

    code = "bad_request"
    status = 400


class TooManyTries(CollectorError):
    """Too many failed tries; `retry_after` in seconds."""

    code = "too_many_tries"
    status = 429

    def __init__(self, message: str, remedy: str = "", retry_after: int = 5) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class QueueFull(CollectorError):
    """More is waiting to be written than the collector holds; the sender tries again."""

    code = "busy"
    status = 503


class DatabaseError(CollectorError):
    """The database failed; the message says how."""

    code = "database_error"
    status = 503


class DatabaseBusy(DatabaseError):
    """Another writer held the database for longer than ten seconds."""

    code = "database_busy"


class DatabaseFull(DatabaseError):
    """There is no space left for the database. Nothing was recorded; it goes on by itself when there is."""

    code = "database_full"
    status = 507


class TargetUnavailable(CollectorError):
    """A store cannot take points now: they are kept and tried again. `retry_after` in seconds where the store said."""

    code = "target_unavailable"
    status = 503

    def __init__(self, message: str, remedy: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after
