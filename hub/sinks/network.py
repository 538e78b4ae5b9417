"""HTTP to where the configuration says, and nowhere else: no server of the inside by a trick of names.

In: a URL of the configuration. Out: an answer, at most `_LONGEST_ANSWER` of it, or `Unreachable`. The name is
resolved here, every address is checked, and the connection goes to the address that was checked (a second
look-up could give another). Redirects are not followed, proxies of the environment are not used.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from hub.sinks.addresses import Network, refusal
from hub.sinks.base import Attempt
from wire.errors import ConfigError

_LONGEST_ANSWER: Final = 1 << 20
#: The receiver has understood the message and will never take it.
_HOPELESS: Final = frozenset({400, 410, 413, 415, 422})


class Unreachable(Exception):  # noqa: N818 - named for what the caller reports
    """The receiver could not be asked; the message says why. Worth another try."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Guard:
    """Resolves and checks. One address that is not allowed condemns the name: it could be any of them."""

    allowed: Sequence[Network] = ()
    resolve: Callable[[str, int], list[str]] = resolve

    def address_of(self, host: str, port: int) -> str:
        """The address to connect to. Unreachable when there is none, or it is not allowed."""
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"the name {host} cannot be resolved: {error}") from error
        for text in addresses:
            # A scope (fe80::1%eth0) names an interface, not an address.
            if why := refusal(ipaddress.ip_address(text.partition("%")[0]), self.allowed):
                raise Unreachable(f"{host}: {why}")
        if not addresses:
            raise Unreachable(f"the name {host} has no address")
        return addresses[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def attempt(self) -> Attempt:
        """What the status means for the delivery."""
        if 200 <= self.status < 300:
            return Attempt("delivered")
        detail = f"HTTP {self.status}"
        if self.status in _HOPELESS:
            return Attempt("refused", detail)
        return Attempt("retry", detail, self._retry_after_s())

    def _retry_after_s(self) -> float | None:
        text = self.headers.get("retry-after", "")
        return min(float(text), 3600.0) if text.isascii() and text.isdigit() else None


class GuardedClient:
    """An HTTP client behind a `Guard`. Safe for use by several threads."""

    def __init__(self, guard: Guard, timeout_s: float, ca_file: Path | None = None) -> None:
        """ConfigError when `ca_file` holds no certificates."""
        self._guard = guard
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file: {ca_file} cannot be used: {error}") from error
        self._client = httpx.Client(
            timeout=timeout_s, follow_redirects=False, trust_env=False, verify=context
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
        auth: httpx.Auth | None = None,
    ) -> Answer:
        """Ask once. Unreachable when the address is not allowed, or nobody answers."""
        try:
            target = httpx.URL(url)
            port = target.port or (443 if target.scheme == "https" else 80)
            address = self._guard.address_of(target.host, port)
            request = self._client.build_request(
                method,
                target.copy_with(host=address),
                content=content,
                headers={**headers, "host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": target.host},
            )
            answer = self._client.send(request, auth=auth, stream=True)
            try:
                body = self._read(answer)
            finally:
                answer.close()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error
        return Answer(answer.status_code, answer.headers, body)

    @staticmethod
    def _read(answer: httpx.Response) -> bytes:
        body = b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > _LONGEST_ANSWER:
                raise Unreachable(f"the answer is longer than {_LONGEST_ANSWER} bytes")
        return body

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
