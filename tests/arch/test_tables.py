"""Every row says whose it is, and no key leads from one agency's row to another's (CONTRACT 1)."""

from gateway.store.tables import metadata

# Nobody's rows, each for a reason.
OF_NO_AGENCY = {
    "agency": "it is the agency",
    "job_run": "a tick of the whole installation's clock",
    "sign_in_try": "kept before it is known whether that person exists, and where",
}
# Whose it is may be unknown for a while.
KNOWN_LATER = {
    "display": "a screen is nobody's until a clerk takes it for a drawer",
    "notice_work": "processes of the version before do not write it; a later migration closes it",
}
# They name an agency, and no key holds them to it.
WITHOUT_A_KEY = {
    "notice": "kept raw whatever it is; its notice_work, of the same statement, has the key",
    "delivery_log": "append-only months, which are moved and attached: a key would be looked up"
    " again for each row; its delivery has the key",
    "audit": "append-only months likewise; what is noted may be gone, or never have been there",
}


def test_every_table_says_whose_its_rows_are() -> None:
    tables = metadata.tables

    assert {n for n, x in tables.items() if "agency_id" not in x.c} == set(OF_NO_AGENCY)
    ours = {n: x.c["agency_id"] for n, x in tables.items() if "agency_id" in x.c}
    assert {n for n, column in ours.items() if column.nullable} == set(KNOWN_LATER)


def test_every_key_between_tables_carries_the_agency() -> None:
    ours = {n: x for n, x in metadata.tables.items() if "agency_id" in x.c}

    held = {n for n, x in ours.items() if x.c["agency_id"].foreign_keys}
    assert set(ours) - held == set(WITHOUT_A_KEY)
    loose = [
        f"{name} to {key.referred_table.name}"
        for name, table in ours.items()
        for key in table.foreign_key_constraints
        if ("agency_id", "id" if key.referred_table.name == "agency" else "agency_id")
        not in [(e.parent.name, e.column.name) for e in key.elements]
    ]
    assert loose == []
