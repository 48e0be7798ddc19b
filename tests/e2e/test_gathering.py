"""Rows that are kept together: each request waits for its own, and is refused for no other's."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.infra.clock import TestClock
from gateway.store import tables as t
from gateway.store.gathering import Gathering
from gateway.store.tx import Store


def rows(clock: TestClock, name: str, state: str = "stored") -> Mapping[Any, Mapping[str, Any]]:
    at = clock.now()
    notice = {
        "id": name, "received_at": at, "agency_id": "a", "provider": "vnpay",
        "account": "default", "source": "127.0.0.1", "sealed": b"x", "hash": "h",
    }  # fmt: skip
    work = {
        "agency_id": "a", "notice_id": name, "received_at": at, "state": state, "tries": 0,
        "due_at": at,
    }  # fmt: skip
    return {t.notice: notice, t.notice_work: work}


@pytest_asyncio.fixture(autouse=True)
async def agency(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO agency VALUES ('a', 'A', '01', 'Hà Nội', '412', true, '{}')")
        )


async def kept(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT n.id FROM notice n JOIN notice_work w ON w.notice_id = n.id")
        )
        return {row.id for row in found}


async def test_many_at_once_share_statements_and_all_are_there(
    engine: AsyncEngine, clock: TestClock
) -> None:
    sent: list[str] = []
    event.listen(
        engine.sync_engine, "before_cursor_execute", lambda _c, _k, said, *_: sent.append(said)
    )
    gathering = Gathering(Store(engine, clock, ""))

    await asyncio.gather(*(gathering.put(rows(clock, f"n{n}")) for n in range(40)))

    assert len([said for said in sent if "INSERT" in said]) <= 2
    assert await kept(engine) == {f"n{n}" for n in range(40)}


async def test_a_row_that_cannot_be_kept_refuses_only_itself(
    engine: AsyncEngine, clock: TestClock
) -> None:
    gathering = Gathering(Store(engine, clock, ""))
    wanted = [rows(clock, "first"), rows(clock, "bad", state="no such state"), rows(clock, "last")]

    said = await asyncio.gather(*map(gathering.put, wanted), return_exceptions=True)

    assert [isinstance(x, DBAPIError) for x in said] == [False, True, False]
    assert await kept(engine) == {"first", "last"}
    with pytest.raises(DBAPIError):
        await gathering.put(rows(clock, "bad", state="no such state"))


async def test_who_hangs_up_takes_nobody_along(engine: AsyncEngine, clock: TestClock) -> None:
    gathering = Gathering(Store(engine, clock, ""))
    gone, *others = [asyncio.create_task(gathering.put(rows(clock, f"n{n}"))) for n in range(3)]
    await asyncio.sleep(0)  # All have said what they want; nothing is on disk yet.

    gone.cancel()
    await asyncio.gather(*others)

    assert gone.cancelled()
    assert await kept(engine) >= {"n1", "n2"}
