"""What routes take from a request: the collector, a bounded body, the address that asks."""

import logging

from starlette.requests import ClientDisconnect, Request

from collector.errors import BadRequest, QueueFull, ReportTooLarge
from collector.limits import LARGEST_ARRIVING_BYTES
from collector.service import Collector

logger = logging.getLogger(__name__)


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
    limits = collector_of(request).limits
    body = bytearray()
    try:
        async for chunk in request.stream():
            limits.arriving_bytes += len(chunk)
            body += chunk
            if len(body) > limit:
                raise ReportTooLarge(f"the body is larger than {limit} bytes", "send smaller reports")
            if limits.arriving_bytes > LARGEST_ARRIVING_BYTES:
                raise QueueFull("too much is being sent at this moment", "send it again in a few seconds")
        return bytes(body)
    except ClientDisconnect as error:
        logger.info("%s: the connection ended in the middle of the body", asking_address(request))
        raise BadRequest("the connection ended in the middle of the body", "send it again") from error
    finally:
        limits.arriving_bytes -= len(body)
