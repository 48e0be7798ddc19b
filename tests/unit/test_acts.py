"""What people do about breaks is hashed in one writing, whatever order it is given in."""

from reconciliation.acts import canonical


def test_a_value_has_one_writing() -> None:
    assert canonical({"b": 1, "a": "đ"}) == '{"a":"đ","b":1}'
