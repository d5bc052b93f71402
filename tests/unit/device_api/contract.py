"""Asks a served Device API many right and many wrong things: it must answer as it says of itself."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ORDER = ("head", "get", "post", "put", "delete")
"""What takes things away comes last, so that the rest has something to act on."""
SECONDS = 10.0


def check_contract(
    url: str,
    key: str,
    *,
    known: Mapping[str, Sequence[str]],
    leave_out: Collection[str] = (),
    most_examples: int = 6,
) -> Counter[str]:
    """Ask every operation in /openapi.json, with data as described and with data that breaks that.

    Args:
        url: of the agent, over TCP.
        key: of the Device API.
        known: names that lead somewhere, by path parameter; half of the requests take one.
        leave_out: paths that are not to be asked, such as /v1/reboot.
        most_examples: requests of each sort to each operation.

    Returns: how often each code came.

    Raises: a group of failures, each with a curl command, at a 5xx and at an answer that is not described.
    """
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers={"X-API-Key": key})
    operations = [found.ok() for found in schema.get_all_operations()]
    asked = [operation for operation in operations if operation.path not in leave_out]
    codes: Counter[str] = Counter()
    for operation in sorted(asked, key=lambda one: ORDER.index(one.method)):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            codes += _ask(operation, mode, url, key, known, most_examples)
    return codes


def _ask(
    operation: APIOperation,
    mode: GenerationMode,
    url: str,
    key: str,
    known: Mapping[str, Sequence[str]],
    most_examples: int,
) -> Counter[str]:
    codes: Counter[str] = Counter()

    @settings(
        max_examples=most_examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), names=_names(operation, known))
    def ask(case: Case, names: Mapping[str, str]) -> None:
        case.path_parameters.update(names)
        if isinstance(case.query, dict):
            case.query.pop("follow", None)  # that has no end
        answer = case.call_and_validate(
            base_url=url, headers={"X-API-Key": key}, checks=CHECKS, timeout=SECONDS
        )
        codes[str(answer.status_code)] += 1

    # What takes nothing can't be asked wrongly.
    with contextlib.suppress(*([Unsatisfiable] if mode is GenerationMode.NEGATIVE else [])):
        ask()
    return codes


def _names(operation: APIOperation, known: Mapping[str, Sequence[str]]) -> st.SearchStrategy[dict[str, str]]:
    parameters = [one.name for one in operation.path_parameters]
    there = {name: st.sampled_from(known[name]) for name in parameters if name in known}
    return st.just({}) | st.fixed_dictionaries(there)
