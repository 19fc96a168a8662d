"""The OpenAPI document is a valid one, and /v1 keeps what it promises for whatever anybody sends."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as promises
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.support.world import World, csr, problem, shared_world

__all__ = ["shared_world"]

OPERATIONS = [
    ("POST", "/v1/certificates"),
    ("GET", "/v1/certificates"),
    ("GET", "/v1/certificates/{id}"),
    ("DELETE", "/v1/certificates/{id}"),
    ("GET", "/v1/certificates/{id}/chain.pem"),
]
KEPT = [
    checks.not_a_server_error,
    promises.status_code_conformance,
    promises.content_type_conformance,
    promises.response_schema_conformance,
]


@pytest.fixture(scope="module")
def schema(shared_world: World) -> OpenApiSchema:
    loaded = schemathesis.openapi.from_wsgi("/v1/openapi.json", app=shared_world.wsgi)
    assert isinstance(loaded, OpenApiSchema)
    return loaded


def test_the_document_is_valid_openapi_3_1(schema: OpenApiSchema) -> None:
    assert schema.raw_schema["openapi"].startswith("3.1")
    schema.validate()
    served = [(method.upper(), path) for path, item in schema.raw_schema["paths"].items() for method in item]
    assert sorted(served) == sorted(OPERATIONS)


def test_every_operation_asks_for_a_token_and_documents_its_refusals(schema: OpenApiSchema) -> None:
    for item in schema.raw_schema["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"token": []}]
            assert {"400", "401", "403", "404", "409", "429", "503"} <= set(operation["responses"])
            assert operation["summary"]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_sent_is_answered_as_documented(
    shared_world: World,
    schema: OpenApiSchema,
    method: str,
    path: str,
    mode: GenerationMode,
) -> None:
    token = shared_world.account().token()
    operation = schema[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=80,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=KEPT)

    holds()


def test_a_real_answer_is_what_the_document_says(shared_world: World, schema: OpenApiSchema) -> None:
    caller = shared_world.account()
    asked = caller.v1("POST", "/certificates", {"csr": csr("www.example.test")[0]})
    shown = json.loads(asked.body)
    shared_world.publish(shown)
    shared_world.run_due()
    operation = schema["/v1/certificates/{id}"]["GET"]
    case = operation.Case(path_parameters={"id": shown["id"]})
    answer = case.call_and_validate(headers={"Authorization": f"Bearer {caller.token()}"}, checks=KEPT)
    assert answer.json()["status"] == "ISSUED"


def test_without_a_token_nothing_is_answered(shared_world: World) -> None:
    for method, path in OPERATIONS:
        where = path.replace("{id}", "12345678-1234-1234-1234-123456789012")
        body = '{"names": ["a.example.test"]}' if method == "POST" else None
        answer = shared_world.http(method, where, body=body, headers={"content-type": "application/json"})
        assert problem(answer)[0] == 401
