"""A thin client of NESO's Carbon Intensity API: one GET each, no key, UTC; at most 14 days a call.

It gives up at once: whoever asks comes back in half an hour, as the API has been known to answer 500 for hours.
"""

import json
import ssl
from typing import Any

import httpx

from collector.errors import TargetUnavailable
from collector.grid_intensity.answers import Answer, read_answer, written

LONGEST_SECONDS = 14 * 86_400
TIMEOUT_SECONDS = 30.0
MOST_BYTES = 8 * 1024 * 1024
AHEAD_SECONDS = 48 * 3600
_AGAIN = "it is asked again in half an hour; see `ictagent carbon intensity status`"


class IntensityClient:
    """The API at an address, through a proxy where one is named; the system's proxy settings are left aside."""

    def __init__(self, url: str, proxy: str = "") -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            verify=ssl.create_default_context(),
            timeout=TIMEOUT_SECONDS,
            proxy=proxy or None,
            trust_env=False,
            headers={"Accept": "application/json", "User-Agent": "ictagent"},
        )

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "IntensityClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def national(self, start: int, end: int) -> Answer:
        """Slots of Great Britain from a half-hour to before another, at most 14 days. Raises TargetUnavailable."""
        return read_answer(self._get(f"/intensity/{written(start)}/{written(end)}"), start, end, regional=False)

    def ahead(self, start: int) -> Answer:
        """Forecasts of Great Britain for 48 hours. Raises TargetUnavailable."""
        return read_answer(
            self._get(f"/intensity/{written(start)}/fw48h"), start, start + AHEAD_SECONDS, regional=False
        )

    def regional(self, outward: str, start: int, end: int) -> Answer:
        """Forecasts of the region of an outward postcode, at most 14 days. Raises TargetUnavailable."""
        path = f"/regional/intensity/{written(start)}/{written(end)}/postcode/{outward}"
        return read_answer(self._get(path), start, end, regional=True)

    def _get(self, path: str) -> Any:
        try:
            with self._client.stream("GET", self._url + path) as answer:
                body = b""
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise TargetUnavailable(
                            "the Carbon Intensity API's answer is too long", "check grid_intensity_url"
                        )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = str(error) or type(error).__name__
            raise TargetUnavailable(f"the Carbon Intensity API cannot be asked: {reason[:200]}", _AGAIN) from error
        if answer.status_code != httpx.codes.OK:
            told = f"the Carbon Intensity API answers {answer.status_code}{_message(body)}"
            raise TargetUnavailable(told, _AGAIN, _retry_after(answer))
        try:
            return json.loads(body)
        except ValueError as error:
            raise TargetUnavailable(
                "the Carbon Intensity API's answer is no JSON", "check grid_intensity_url"
            ) from error


def _message(body: bytes) -> str:
    """What an error's body says, where it is the API's."""
    try:
        said = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {said[:200]}" if isinstance(said, str) else ""


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
