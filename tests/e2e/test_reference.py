"""The API explains itself: every type of problem is a page, every operation is listed."""

import pytest
from front_door import Site

from gateway.domain.errors import REFUSALS


@pytest.mark.parametrize("code", sorted(REFUSALS))
async def test_the_type_of_a_problem_is_an_address_that_explains_it(site: Site, code: str) -> None:
    answer = await site.http.get(f"/problems/{code}")

    assert answer.status_code == 200
    assert code in answer.text


async def test_the_docs_list_every_operation_and_call_nobody_else(site: Site) -> None:
    page = (await site.http.get("/docs")).text
    spec = (await site.http.get("/openapi.json")).json()

    for path, methods in spec["paths"].items():
        if path.startswith("/v1/"):
            for method in methods:
                assert f"{method.upper()} {path}" in page
    assert "http" not in page.replace("http-equiv", "")
    assert (await site.http.get("/problems/no-such-thing")).status_code == 404
