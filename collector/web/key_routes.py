"""The routes by which a host gets its key, looks at it, renews it and gives it back."""

import json
from dataclasses import asdict
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.report import BOOT_ID_HEADER, MACHINE_HEADER
from collector.clones import is_copy
from collector.enrolment import KINDS, EnrolRequest, TokenRefused, enrol, note_refusal
from collector.errors import BadRequest, NotFound
from collector.heard import LastHeard, last_heard
from collector.ingest import machine_of
from collector.keys import Rotation, revoke_own, rotate
from collector.rate_limit import network_of
from collector.web.answers import json_response
from collector.web.requests import asking_address, bounded_body, collector_of

LARGEST_ENROLMENT_BYTES = 4096
LONGEST_TEXT = 512
_NEEDED = ("token", "host_name", "kind")
_OPTIONAL = ("site", "space", "space_kind")


async def enrolment(request: Request) -> Response:
    """POST /v1/enrol: a token for a key."""
    collector = collector_of(request)
    address = asking_address(request)
    limits = collector.limits
    limits.addresses.admit(network_of(address), "enrolments from this address")
    body = await bounded_body(request, LARGEST_ENROLMENT_BYTES)
    texts = _texts(body)
    limits.tokens.admit(texts["token"].partition(".")[0], "enrolments with this token")
    wanted = EnrolRequest(**texts, address=address, key_seconds=collector.key_seconds)
    try:
        issued = await run_in_threadpool(collector.writer.run, enrol, wanted)
    except TokenRefused as refused:
        if limits.noted_refusals.wait("") == 0:
            note = (refused, address, wanted.host_name)
            await run_in_threadpool(collector.writer.run, note_refusal, note)
        raise
    return json_response(asdict(issued))


def _texts(body: bytes) -> dict[str, str]:
    """The fields of an enrolment. Raises BadRequest naming what is wrong."""
    try:
        given = json.loads(body)
        values = {name: given[name] for name in _NEEDED} | {name: given.get(name, "") for name in _OPTIONAL}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRequest("the body must be JSON with token, host_name and kind") from error
    for name, value in values.items():
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or not _storable(value):
            raise BadRequest(f"{name} must be a text of at most {LONGEST_TEXT} characters")
    if values["kind"] not in KINDS:
        raise BadRequest(f"kind must be {' or '.join(KINDS)}")
    return {**values, "site": values["site"].strip(), "space": values["space"].strip()}


def _storable(text: str) -> bool:
    """Whether both databases can keep it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


async def whoami(request: Request) -> Response:
    """GET /v1/whoami: which device a key belongs to, until when it holds, whether the asker is a copy, and what was last
    heard of the device."""
    collector = collector_of(request)
    key = await collector.ingest.authenticate(request.headers.get("authorization", ""), anew=True)
    machine, _ = machine_of(request.headers.get(MACHINE_HEADER, ""))
    boot_id = request.headers.get(BOOT_ID_HEADER, "")

    def read() -> tuple[bool, LastHeard]:
        with collector.database.read() as connection:
            return is_copy(connection, key.key_id, machine, boot_id), last_heard(connection, key.device_id)

    copy, heard = await run_in_threadpool(read)
    return json_response(
        {
            "device_id": key.device_id,
            "key_id": key.key_id,
            "expires_at": key.expires_at,
            "expires_in_seconds": key.expires_at - collector.clock_ns() // 10**9,
            "life_seconds": key.expires_at - key.created_at,
            "copy": copy,
            **asdict(heard),
        }
    )


async def key_rotation(request: Request) -> Response:
    """POST /v1/key/rotate: a new secret for the key; the present one holds until the new one is used."""
    collector = collector_of(request)
    key = await collector.ingest.authenticate(request.headers.get("authorization", ""), anew=True)
    collector.limits.rotations.admit(key.key_id, "rotations of this key")
    wanted = Rotation(key.key_id, key.sha256, collector.key_seconds)
    issued = await run_in_threadpool(collector.writer.run, rotate, wanted)
    return json_response(asdict(issued))


async def key_return(request: Request) -> Response:
    """DELETE /v1/key: the host gives its key back; it is revoked."""
    collector = collector_of(request)
    key = await collector.ingest.authenticate(request.headers.get("authorization", ""), anew=True)
    await run_in_threadpool(partial(collector.writer.run, revoke_own, key))
    return json_response({"revoked": key.key_id})


async def authority(request: Request) -> Response:
    """GET /ca.pem: the certificate of the collector's own authority, for hosts whose token pins it."""
    pem = collector_of(request).authority_pem
    if not pem:
        raise NotFound(
            "this collector has no authority of its own", "trust the authority of its certificate: set `ca` on the host"
        )
    return Response(pem, media_type="application/x-pem-file")


KEY_ROUTES = [
    Route("/v1/enrol", enrolment, methods=["POST"]),
    Route("/v1/whoami", whoami),
    Route("/v1/key/rotate", key_rotation, methods=["POST"]),
    Route("/v1/key", key_return, methods=["DELETE"]),
    Route("/ca.pem", authority),
]
