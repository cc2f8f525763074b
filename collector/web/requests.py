"""What routes take from a request: the collector, a bounded body, the address that asks."""

from starlette.requests import Request

from collector.errors import ReportTooLarge
from collector.service import Collector


def collector_of(request: Request) -> Collector:
    found: Collector = request.app.state.collector
    return found


def asking_address(request: Request) -> str:
    """The address that asks, as the access rule sees it."""
    address: str = request.state.origin.address
    return address


async def bounded_body(request: Request, limit: int) -> bytes:
    """The request's body, refused as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise ReportTooLarge(f"the body is {declared} bytes and may be {limit}", "send smaller reports")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ReportTooLarge(f"the body is larger than {limit} bytes", "send smaller reports")
    return bytes(body)
