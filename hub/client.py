"""A client of the hub's API, for the command line.

In: calls. Out: JSON, or the problem's own words as `HubError`, or as `InputError` where what was given is at
fault. Every write carries an idempotency key.
"""

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from hub.config import read_secret
from wire.errors import GatehouseError, HubError, InputError

TOKEN_VARIABLE = "GATEHOUSE_TOKEN"  # noqa: S105 - its name


class Refusal(HubError):  # noqa: N818 - named for what the hub does
    """The hub answers with a problem: `status` of HTTP, `reason` for programs."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class NotThere(Refusal):
    """The hub answers, and has no such thing."""


class HubClient:
    """One hub, one token."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 60.0) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._url = url
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=timeout_s
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """Read one thing."""
        return self._ask("GET", path, params=_given(parameters))

    def download(self, path: str, **parameters: Any) -> bytes:
        """Read one file."""
        return self._answer("GET", path, params=_given(parameters)).content

    def pages(self, path: str, **parameters: Any) -> Iterator[Any]:
        """Read all items of a list."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, limit=200, **parameters)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Write."""
        return self._ask("POST", path, json=body, headers=_key())

    def post_form(
        self,
        path: str,
        fields: Mapping[str, str],
        photos: Sequence[tuple[str, bytes]],
        **parameters: Any,
    ) -> Any:
        """Write a form with photos."""
        files = [("photo", (name, data)) for name, data in photos]
        given = _given(parameters)
        return self._ask("POST", path, data=dict(fields), files=files, params=given, headers=_key())

    def get_text(self, path: str, **parameters: Any) -> str:
        """Read a file."""
        return self._answer("GET", path, params=_given(parameters)).content.decode()

    def post_csv(self, path: str, content: bytes, **parameters: Any) -> Any:
        """Write a CSV file."""
        headers = {**_key(), "content-type": "text/csv"}
        return self._ask("POST", path, content=content, headers=headers, params=_given(parameters))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Write one thing in its place."""
        return self._ask("PUT", path, json=body, headers=_key())

    def delete(self, path: str) -> Any:
        """Remove one thing."""
        return self._ask("DELETE", path, headers=_key())

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        return self._answer(method, path, **arguments).json()

    def _answer(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HubError(f"the hub at {self._url} does not answer: {error}") from error
        if answer.is_success:
            return answer
        raise _failure(self._url, answer)


def read_token(file: Path | None) -> str:
    """The token in `file`, else in the environment. HubError says where one can be put."""
    if file is not None:
        return read_secret(file)[0]
    if token := os.environ.get(TOKEN_VARIABLE, "").strip():
        return token
    raise HubError(
        f"no token: give --token-file, or set {TOKEN_VARIABLE}; `gatehouse hub token add` makes one"
    )


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _key() -> dict[str, str]:
    return {"idempotency-key": str(uuid.uuid4())}


def _failure(url: str, answer: httpx.Response) -> GatehouseError:
    try:
        problem = answer.json()
        reason, message = problem["reason"], str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return HubError(f"{url} answers HTTP {answer.status_code}, and not as a hub would")
    if reason == "unusable_input":
        return InputError(message)
    kind = NotThere if answer.status_code == 404 else Refusal
    return kind(answer.status_code, reason, message)
