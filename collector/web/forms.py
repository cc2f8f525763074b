"""Forms that write: read within bounds, and only with the token of the session (or login) they were shown to."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from collector.errors import BadRequest, Forbidden, ReportTooLarge
from collector.people.secrets import same

LARGEST_FORM_BYTES = 16 * 1024
CSRF_FIELD = "csrf"


async def form_of(request: Request, csrf: str) -> dict[str, str]:
    """The fields of a form. Raises Forbidden unless it carries the token, BadRequest for what is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadRequest("this wants a form", "send it from the page")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            raise ReportTooLarge(f"a form may be {LARGEST_FORM_BYTES} bytes", "send less")
    try:
        fields = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict"))
    except ValueError as error:
        raise BadRequest("the form cannot be read", "send it from the page") from error
    if any("\0" in text for text in fields.values()):
        # PostgreSQL keeps none, and would refuse the whole transaction.
        raise BadRequest("a field holds a NUL character, which no text here has", "leave it out")
    if not csrf or not same(fields.get(CSRF_FIELD, ""), csrf):
        raise Forbidden("the form is not of this login, or is too old", "open the page again, and send it from there")
    return fields
