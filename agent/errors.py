"""The agent's exceptions. Lower libraries' errors are translated into these where they enter."""


class AgentError(Exception):
    """Something went wrong that the user should hear of in one line: what, and what to do."""


class ConfigurationError(AgentError):
    """The configuration is wrong; the command ends with exit status 78 (EX_CONFIG)."""


class SpoolError(AgentError):
    """The spool cannot be read or written."""


class TransportError(AgentError):
    """The collector could not be reached, or its answer made no sense. The report stays in the spool."""


class EnrolmentError(AgentError):
    """The collector did not accept this host."""
