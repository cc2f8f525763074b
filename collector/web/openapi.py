"""The API described in OpenAPI 3.1. A test holds it to the routes and to the standard."""

from typing import Any

import agent

_ERROR = {
    "description": "Refused; the one shape of errors.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_KEY: list[dict[str, list[str]]] = [{"agentKey": []}]
_READ: list[dict[str, list[str]]] = [{"apiToken": []}]


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ictagent collector",
            "version": agent.__version__,
            "description": "Reports of agents in, devices and energy out. `ictagent up` needs no token.",
        },
        "paths": {
            "/v1/reports": {
                "post": _operation("Take one report; 200 means it is on disk.", _KEY, _REPORT_BODY, "Recorded")
            },
            "/v1/enrol": {"post": _operation("Exchange an enrolment token for a key.", [], _ENROL_BODY, "Enrolled")},
            "/v1/whoami": {"get": _operation("Which device a key belongs to, and its state.", _KEY, None, "WhoAmI")},
            "/v1/key": {"delete": _operation("Revoke the key that asks: its host leaves.", _KEY, None, "Revoked")},
            "/v1/key/rotate": {
                "post": _operation("A new secret; the present one holds until it is used.", _KEY, None, "Enrolled")
            },
            "/ca.pem": {"get": _operation("The certificate of the collector's own authority, PEM.", [], None, None)},
            "/v1/devices": {"get": _operation("All devices in use.", _READ, None, "Object")},
            "/v1/devices/{device_id}": {
                "get": {
                    **_operation("One device with inventory, sources and diagnoses.", _READ, None, "Object"),
                    "parameters": [_parameter("device_id", "path", "The device's id.", required=True)],
                }
            },
            "/v1/devices/{device_id}/guests": {
                "get": {
                    **_operation(
                        "Where a host's energy went, and what a virtual machine had of its hosts'; by default of the "
                        "last 24 hours.",
                        _READ,
                        None,
                        "Object",
                    ),
                    "parameters": [
                        _parameter("device_id", "path", "The device's id.", required=True),
                        _parameter("from", "query", "First half-hour, ISO 8601, UTC where no offset is given."),
                        _parameter("to", "query", "End, at most 31 days later."),
                    ],
                }
            },
            "/v1/devices/{device_id}/network": {
                "get": {
                    **_operation(
                        "What a polled device last told: power path, interfaces, load; and how its polls go.",
                        _READ,
                        None,
                        "Object",
                    ),
                    "parameters": [_parameter("device_id", "path", "The device's id.", required=True)],
                }
            },
            "/v1/devices/{device_id}/events": {
                "get": {
                    **_operation(
                        "What a polled device told by traps and informs, the newest first.", _READ, None, "Object"
                    ),
                    "parameters": [
                        _parameter("device_id", "path", "The device's id.", required=True),
                        _parameter("limit", "query", "How many at most: 1 to 1000, else 100."),
                    ],
                }
            },
            "/v1/devices/{device_id}/power-path": {
                "get": {
                    **_operation(
                        "What feeds the device and what it feeds, with power now; and what is proposed.",
                        _READ,
                        None,
                        "Object",
                    ),
                    "parameters": [_parameter("device_id", "path", "The device's id.", required=True)],
                }
            },
            "/v1/energy": {
                "get": {
                    **_operation(
                        "Half-hours of the ledger, or running totals when no times are given.", _READ, None, "Object"
                    ),
                    "parameters": [
                        _parameter("from", "query", "First half-hour, ISO 8601, UTC where no offset is given."),
                        _parameter("to", "query", "End, at most 31 days later."),
                        _parameter("device_id", "query", "Only this device."),
                    ],
                }
            },
            "/v1/estate/totals": {
                "get": {
                    **_operation("The estate's energy by keys, each kilowatt-hour once.", _READ, None, "Object"),
                    "parameters": [
                        _parameter(
                            "from", "query", "First month, such as 2026-04; without it that of `to`, or this one."
                        ),
                        _parameter("to", "query", "Last month; this one without."),
                        _parameter("by", "query", "A key to add up by, such as site or month; may be given again."),
                    ],
                }
            },
            "/v1/estate/coverage": {
                "get": {
                    **_operation(
                        "Registered devices in use by class, and how their energy is got.", _READ, None, "Object"
                    ),
                    "parameters": [_parameter("month", "query", "At the end of this month; now without.")],
                }
            },
            "/v1/carbon/footprint": {
                "get": {
                    **_operation(
                        "The footprint of one organisation, exact: grams, microjoules and rows.", _READ, None, "Object"
                    ),
                    "parameters": [
                        _parameter("from", "query", "First month or financial year, such as FY2025; this one without."),
                        _parameter("to", "query", "Last month or financial year; the end of `from` without."),
                        _parameter("by", "query", "What rows are divided by, such as site; may be given again."),
                        _ORGANISATION,
                    ],
                }
            },
            "/v1/carbon/reports": {
                "get": {
                    **_operation(
                        "Reports of one organisation that were prepared or published, with their hashes.",
                        _READ,
                        None,
                        "Object",
                    ),
                    "parameters": [_ORGANISATION],
                }
            },
            "/v1/openapi.json": {"get": _operation("This document.", _READ, None, "Object")},
            "/healthz": {"get": _operation("The process answers.", [], None, "Object")},
            "/readyz": {"get": _operation("Whether reports can be taken, and what is wrong.", [], None, "Object")},
            "/metrics": {"get": _operation("The collector itself, Prometheus text.", _READ, None, None)},
        },
        "components": {"schemas": _SCHEMAS, "securitySchemes": _SECURITY},
    }


def _operation(
    summary: str, security: list[dict[str, list[str]]], body: dict[str, Any] | None, schema: str | None
) -> dict[str, Any]:
    content = (
        {"text/plain": {"schema": {"type": "string"}}}
        if schema is None
        else {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    )
    operation: dict[str, Any] = {
        "summary": summary,
        "security": security,
        "responses": {"200": {"description": "Done.", "content": content}, "default": _ERROR},
    }
    if body is not None:
        operation["requestBody"] = body
    return operation


def _parameter(name: str, place: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


_ORGANISATION = _parameter("organisation", "query", "Its name; without, the first that the asker may see.")
_REPORT_BODY = {
    "required": True,
    "description": "A report (docs/reports.md), gzip or identity, at most 4 MB.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Object"}}},
}
_ENROL_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["token", "host_name", "kind"],
                "properties": {
                    "token": {"type": "string"},
                    "host_name": {"type": "string"},
                    "kind": {"type": "string", "enum": ["host"]},
                    "site": {"type": "string"},
                    "space": {"type": "string"},
                    "space_kind": {"type": "string"},
                },
            }
        }
    },
}
_WHO_TEXTS = ("device_id", "key_id", "method", "source")
_WHO_INTEGERS = ("expires_at", "expires_in_seconds", "life_seconds")
_WHO_NULLABLE = ("last_report_at", "power_watts", "power_low_watts", "power_high_watts")
_SCHEMAS: dict[str, Any] = {
    "Object": {"type": "object"},
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "remedy"],
                "properties": {name: {"type": "string"} for name in ("code", "message", "remedy")},
            }
        },
    },
    "Recorded": {
        "type": "object",
        "required": ["accepted", "duplicate", "rejected_rows"],
        "properties": {
            "accepted": {"type": "boolean"},
            "duplicate": {"type": "boolean"},
            "rejected_rows": {"type": "integer"},
        },
    },
    "Enrolled": {
        "type": "object",
        "required": ["key", "key_id", "device_id", "expires_at"],
        "properties": {
            **{name: {"type": "string"} for name in ("key", "key_id", "device_id")},
            "expires_at": {"type": "integer"},
        },
    },
    "WhoAmI": {
        "type": "object",
        "required": [*_WHO_TEXTS, *_WHO_INTEGERS, *_WHO_NULLABLE, "copy"],
        "properties": {
            **{name: {"type": "string"} for name in _WHO_TEXTS},
            **{name: {"type": "integer"} for name in _WHO_INTEGERS},
            **{name: {"type": ["number", "null"]} for name in _WHO_NULLABLE},
            "copy": {"type": "boolean"},
        },
    },
    "Revoked": {"type": "object", "required": ["revoked"], "properties": {"revoked": {"type": "string"}}},
}
_SECURITY = {
    "agentKey": {"type": "http", "scheme": "bearer", "description": "A host's own key, `id.secret`."},
    "apiToken": {"type": "http", "scheme": "bearer", "description": "An API token, `id.secret`."},
}
