"""The API against its own description, on a hub with something of everything in it.

Every operation is tried with requests that its description allows and with such that it does not: whatever is
sent, the answer is one that is described, of the shape that is described, and never a fault of the hub's.
Every list is paged; every write that carries a key is done once.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.python.asgi import get_client
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api import openapi
from tests.api_world import PREFIX, WRITES, Call, World, known_ids

DESCRIBED = openapi()
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip
EXAMPLES = 8
METHODS = ("get", "put", "post", "patch", "delete")
#: Without the phase that tries every bound of every field: 13,000 requests.
CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
schema = schemathesis.openapi.from_dict(DESCRIBED, config=CONFIG)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, item in DESCRIBED["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def name_of(method: str, path: str) -> str:
    return f"{method} {path.removeprefix(PREFIX)}"


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: Case, world: World) -> None:
    _name_what_is_there(case, world)
    with get_client(world.app) as client:
        answer = case.call(app=world.app, session=client, headers=world.headers())
    case.validate_response(answer, checks=CHECKS)


def _name_what_is_there(case: Case, world: World) -> None:
    """Three of four requests name something that there is: else all that is tried is 404."""
    wanted = case.operation.path_parameters
    if not len(list(wanted)) or zlib.crc32(repr(case.path_parameters).encode()) % 4 == 0:
        return
    make = WRITES.get(name_of(case.method, case.operation.full_path))
    named = make(world).path if make is not None else known_ids(world)
    case.path_parameters = {
        name: named.get(name, value) for name, value in case.path_parameters.items()
    }


#: What stores nothing: a ticket is good once and for a moment, and whoever asks again gets another.
GIVES_TICKETS = {"POST /cameras/{edge}/{camera}/live"}
WRITING = [(m, p) for m, p, _ in operations() if m != "GET" and name_of(m, p) not in GIVES_TICKETS]


@pytest.mark.parametrize(("method", "path"), WRITING, ids=[name_of(*one) for one in WRITING])
class TestWrites:
    def test_what_is_sent_again_with_its_key_is_done_once(
        self, world: World, method: str, path: str
    ) -> None:
        name = name_of(method, path)
        assert name in WRITES, f"say in tests/api_world.py how {name} is called"
        call, key = WRITES[name](world), f"key of {name}".replace(" ", "-")
        before = world.count("audit")
        first = world.send(method, path, call, key)
        assert first.is_success, first.text
        schema[path][method].validate_response(first)
        state = {table: world.rows(table) for table in ("audit", "events", "deliveries", "alerts")}
        assert len(state["audit"]) > before
        again = world.send(method, path, call, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert {table: world.rows(table) for table in state} == state
        _is_refused(world, method, path, call, key)
        assert {table: world.rows(table) for table in state} == state

    def test_it_says_so(self, method: str, path: str) -> None:
        parameters = DESCRIBED["paths"][path][method.lower()]["parameters"]
        assert "idempotency-key" in {one["name"] for one in parameters if one["in"] == "header"}


def _is_refused(world: World, method: str, path: str, call: Call, key: str) -> None:
    """The same key with another body, and on another operation."""
    elsewhere = f"{PREFIX}/silences/nothing/end"
    answers = [world.client.post(elsewhere, headers=world.headers(call.role, key))]
    if call.other is not None:
        answers.append(world.send(method, path, call.changed(), key))
    if call.role.value == "approver":  # who may do nothing else
        answers.pop(0)
    for answer in answers:
        assert (answer.status_code, answer.json()["reason"]) == (422, "key_reused")


def test_every_list_is_paged(world: World) -> None:
    """What is read is a page, or one thing: no answer is a bare list, and none that is named as one is."""
    paged = 0
    for method, path, operation in operations():
        shape = _shape(operation)
        if method != "GET" or shape is None:
            continue
        assert shape.get("type") != "array", f"{path} answers with all that there is"
        if "next_cursor" not in shape.get("properties", {}):
            assert not path.endswith("s") or path in REPORTS, f"{path} is named as a list is"
            continue
        paged += 1
        limits = {p["name"]: p["schema"] for p in operation["parameters"] if p["in"] == "query"}
        assert "cursor" in limits, path
        assert limits["limit"]["maximum"] == 500, path
    assert paged >= 24


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_shape_has_a_name_of_its_own() -> None:
    """FastAPI writes the module before a name that two shapes have, and a program that reads the description
    takes both for one."""
    shapes = DESCRIBED["components"]["schemas"]
    assert [n for n in shapes if "__" in n or n.endswith(("-Input", "-Output"))] == []


#: One document each, though its path reads like that of a list.
REPORTS = {f"{PREFIX}/health", f"{PREFIX}/subjects/status"}


def _shape(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = (
        operation["responses"]["200"].get("content", {}) if "200" in operation["responses"] else {}
    )
    found = content.get("application/json", {}).get("schema")
    if found and "$ref" in found:
        found = DESCRIBED["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return found


LISTS = [path for method, path, operation in operations()
         if method == "GET" and "next_cursor" in (_shape(operation) or {}).get("properties", {})]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_pages_hold_everything_once(world: World, path: str) -> None:
    if path.endswith("/deliveries/dead"):  # which other tests let be tried anew
        for _ in range(3):
            world.dead_delivery()
    url = path.format(**{**known_ids(world), "name": "plates"})
    query = {"purpose": "a test", "since": world.later(days=-1), "until": world.later(days=1)}
    whole = world.client.get(url, params={**query, "limit": 500}, headers=world.headers())
    assert whole.status_code == 200, whole.text
    wanted = whole.json()
    assert wanted["next_cursor"] is None
    items, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        asked = {**query, "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = world.client.get(url, params=asked, headers=world.headers()).json()
        assert len(page["items"]) <= 2
        items, cursor, pages = items + page["items"], page["next_cursor"], pages + 1
    if path != f"{PREFIX}/audit":  # where each of these looks is written down
        assert items == wanted["items"]
    assert items, "nothing is in this list: put something into tests/api_world.py"
    spoilt = world.client.get(url, params={**query, "cursor": "x"}, headers=world.headers())
    assert (spoilt.status_code, spoilt.json()["reason"]) == (422, "unusable_input")
