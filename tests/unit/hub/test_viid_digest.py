"""Digest, against the RFC's arithmetic and an independent client."""

import hashlib
import itertools
from datetime import timedelta

import httpx
import pytest

from hub.viid.digest import REALM, DigestGate
from tests.unit.hub.kit import NOW, at

PASSWORDS = {"centre": "secret-of-the-centre"}
PATH = "/VIID/System/Register"


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


@pytest.fixture
def gate() -> DigestGate:
    numbers = itertools.count()
    return DigestGate(bytes(32), lambda: f"random{next(numbers)}")


def header(challenge: str, *, user: str = "centre", password: str = "", **changes: str) -> str:
    nonce = challenge.partition('nonce="')[2].partition('"')[0]
    opaque = challenge.partition('opaque="')[2].partition('"')[0]
    given = {"username": user, "realm": REALM, "nonce": nonce, "uri": PATH, "opaque": opaque,
             "qop": "auth", "nc": "00000001", "cnonce": "abc", **changes}  # fmt: skip
    secret = md5(user, REALM, password or PASSWORDS.get(user, ""))
    right = md5(
        secret,
        given["nonce"],
        given["nc"],
        given["cnonce"],
        given["qop"],
        md5("POST", given["uri"]),
    )
    given.setdefault("response", right)
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in given.items())


def test_who_knows_the_password_is_known_once_per_count(gate: DigestGate) -> None:
    challenge = gate.challenge(NOW)
    first = header(challenge)
    assert gate.user(first, "POST", PATH, PASSWORDS, NOW) == "centre"
    assert gate.user(first, "POST", PATH, PASSWORDS, NOW) is None  # recorded and sent again
    second = header(challenge, nc="00000002")
    assert gate.user(second, "POST", PATH, PASSWORDS, NOW) == "centre"
    assert gate.user(header(challenge), "POST", PATH, PASSWORDS, NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "nobody"}, {"user": "nobody", "password": "no such user"}, {"password": "wrong"},
        {"uri": "/VIID/Dispositions"},
        {"realm": "other"}, {"qop": "auth-int"}, {"nc": "1"}, {"nc": "0000000g"}, {"cnonce": ""},
        {"opaque": "x"}, {"response": "0" * 32}, {"nonce": "x.y.z"}, {"algorithm": "MD5-sess"},
    ],
)  # fmt: skip
def test_anything_else_is_nobody(gate: DigestGate, changes: dict[str, str]) -> None:
    given = header(gate.challenge(NOW), **changes)
    assert gate.user(given, "POST", PATH, PASSWORDS, NOW) is None


def test_another_method_is_another_request(gate: DigestGate) -> None:
    assert gate.user(header(gate.challenge(NOW)), "DELETE", PATH, PASSWORDS, NOW) is None


@pytest.mark.parametrize(
    "text", ["", "Basic YTpi", "Digest", "Digest x", 'Digest nonce="', "Digest " + "a=b," * 900]
)
def test_what_is_no_digest(gate: DigestGate, text: str) -> None:
    assert gate.user(text, "POST", PATH, PASSWORDS, NOW) is None


def test_a_nonce_is_ours_for_five_minutes(gate: DigestGate) -> None:
    challenge = gate.challenge(NOW)
    late, early = NOW + timedelta(minutes=5, seconds=1), at(-2)
    for moment in (late, early):
        assert gate.user(header(challenge), "POST", PATH, PASSWORDS, moment) is None
    assert (
        gate.user(header(challenge), "POST", PATH, PASSWORDS, NOW + timedelta(minutes=5))
        == "centre"
    )
    other = DigestGate(b"k" * 32, lambda: "random")
    assert other.user(header(challenge), "POST", PATH, PASSWORDS, NOW) is None


def test_counts_of_old_nonces_are_forgotten(gate: DigestGate) -> None:
    for minute in range(30):
        moment = NOW + timedelta(minutes=minute)
        given = header(gate.challenge(moment))
        assert gate.user(given, "POST", PATH, PASSWORDS, moment) == "centre"
    assert len(gate._counts) <= 6


def test_a_client_of_others_is_understood(gate: DigestGate) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        given = request.headers.get("authorization", "")
        target = request.url.raw_path.decode()
        if gate.user(given, request.method, target, PASSWORDS, NOW) == "centre":
            return httpx.Response(200)
        return httpx.Response(401, headers={"www-authenticate": gate.challenge(NOW)})

    auth = httpx.DigestAuth("centre", PASSWORDS["centre"])
    with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as client:
        for path in ("/VIID/System/Register", "/VIID/Dispositions?IDList=1,2", "/VIID/x"):
            assert client.post(f"http://hub{path}").status_code == 200
