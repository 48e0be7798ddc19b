"""A setting that is missing, unknown or malformed stops the start with one sentence."""

from datetime import time
from pathlib import Path

import pytest

from gateway.domain.calendar import BusinessDays, Works
from gateway.entry.plugins import adapters, business_days, offered, setting_names
from gateway.entry.settings import SettingError, read_settings
from gateway.infra.wire import GuardedWire

FIELDS = ("VNPAY_TMN_CODE", "VNPAY_SECRET")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"THUPHI_VNPAY_SECERT": "x"}, "VNPAY_SECRET"),
        ({"THUPHI_PUBLIC_URL": "pay.example.vn"}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": ""}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": "http://[::1"}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": "https://pay.example.vn:99999"}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": "https://pay.example.vn?x"}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": "https://pay.example.vn#f"}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": "https://u:pw@pay.example.vn"}, "THUPHI_PUBLIC_URL"),
        ({"THUPHI_PUBLIC_URL": "https://pay.example.vn/path"}, "with no path"),
        ({"THUPHI_DATABASE_URL": "mysql://x"}, "postgresql://"),
        ({"THUPHI_DATABASE_URL": "postgresql:x"}, "postgresql://"),
        ({"THUPHI_DATABASE_URL": "postgresql://u:pw@h:abc/x"}, "URL has no readable host and port"),
        ({"THUPHI_DATABASE_URL": "postgresql://u:pw@h:99999/x"}, "no readable host and port"),
        ({"THUPHI_DATABASE_URL": "postgresql://h/x?sslmod=require"}, "unknown option sslmod;"),
        ({"THUPHI_DATABASE_URL": "postgresql://h/x?sslmode=on"}, "must be one of disable, allow"),
        (
            {"THUPHI_DATABASE_URL": "postgresql://h/x?sslmode=verify-full"},
            "sslmode=verify-full needs sslrootcert",
        ),
        (
            {"THUPHI_DATABASE_URL": "postgresql://h/x?sslrootcert=/nowhere"},
            "THUPHI_DATABASE_URL: the file of sslrootcert cannot be read",
        ),
        ({"THUPHI_DATA_DIR": " "}, "THUPHI_DATA_DIR must name a folder"),
        ({"THUPHI_DEFAULT_AGENCY": ""}, "THUPHI_DEFAULT_AGENCY must be an agency's id"),
        ({"THUPHI_DEFAULT_AGENCY": "hn tthcc"}, "THUPHI_DEFAULT_AGENCY must be an agency's id"),
        ({"THUPHI_SERVER_PORT": "8080"}, "There is no setting THUPHI_SERVER_PORT"),
        ({"THUPHI_WIRE_ALLOW": "everything"}, "CIDR"),
        ({"THUPHI_TRUSTED_PROXIES": "my-proxy"}, "THUPHI_TRUSTED_PROXIES must be CIDRs"),
        ({"THUPHI_TRUSTED_PROXIES": "10.0.0.1, 0.0.0.0/0"}, "anybody"),
        ({"THUPHI_CLOCK": "yesterday"}, "THUPHI_CLOCK"),
        ({"THUPHI_CLOCK": "2026-11-18T01:00:00"}, "THUPHI_CLOCK"),
        ({"THUPHI_MASTER_KEY": "a", "THUPHI_MASTER_KEY_FILE": "b"}, "not both"),
        ({"THUPHI_MASTER_KEY_FILE": "/nowhere/key"}, "cannot be read"),
        ({"THUPHI_DATABASE_PASSWORD_FILE": "/nowhere/word"}, "with a user and no password"),
        (
            {
                "THUPHI_DATABASE_URL": "postgresql://u@db/thuphi",
                "THUPHI_DATABASE_PASSWORD_FILE": "/nowhere/word",
            },
            "THUPHI_DATABASE_PASSWORD_FILE cannot be read",
        ),
        (
            {"THUPHI_PUBLIC_URL": "https://pay.example.vn", "THUPHI_WIRE_ALLOW": "10.0.0.0/8"},
            "loopback only",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence) as caught:
        read_settings(values, FIELDS)

    assert "\n" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_what_is_not_ours_is_left_alone() -> None:
    settings = read_settings({"PATH": "x", "THUPHI_VNPAY_SECRET": "s"}, FIELDS)

    assert settings.adapters == {"VNPAY_SECRET": "s"}
    assert "'s'" not in repr(settings)


def test_the_databases_password_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    """A password in a variable is shown by every tool that lists a container's settings."""
    word = tmp_path / "word"
    word.write_text("a/b@c:d%\n", "ascii")

    settings = read_settings(
        {
            "THUPHI_DATABASE_URL": "postgresql://thuphi@postgres:5432/thuphi",
            "THUPHI_DATABASE_PASSWORD_FILE": str(word),
        },
        FIELDS,
    )

    assert settings.database_url == "postgresql://thuphi:a%2Fb%40c%3Ad%25@postgres:5432/thuphi"
    assert "a%2Fb" not in repr(settings)


def test_a_token_needs_its_three_settings_and_shows_no_pin(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("0123456789\n")
    module, pin = str(tmp_path / "pin"), str(tmp_path / "pin")
    whole = {
        "THUPHI_PKCS11_MODULE": module, "THUPHI_PKCS11_TOKEN": "agency",
        "THUPHI_PKCS11_PIN_FILE": pin,
    }  # fmt: skip

    settings = read_settings(whole, ())

    assert settings.token is not None
    assert (settings.token.label, settings.token.pin) == ("agency", "0123456789")
    assert "0123456789" not in repr(settings) + repr(settings.token)
    for name in whole:
        with pytest.raises(SettingError, match=f"^{name} must be set too"):
            read_settings({k: v for k, v in whole.items() if k != name}, ())
    with pytest.raises(SettingError, match="THUPHI_PKCS11_MODULE cannot be read"):
        read_settings(whole | {"THUPHI_PKCS11_MODULE": f"{module}.so"}, ())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Pay.example.vn/", "https://pay.example.vn"),
        ("https://pay.example.vn:443", "https://pay.example.vn"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://pay.example.vn:80", "https://pay.example.vn:80"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(given: str, kept: str) -> None:
    """A form that a browser sends from https://x is otherwise foreign to https://x:443."""
    assert read_settings({"THUPHI_PUBLIC_URL": given}, FIELDS).public_url == kept


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, {}),
        ({"CUT_OFF": "16:30"}, BusinessDays(time(16, 30))),
        ({"WORKING_DAYS": "yes"}, BusinessDays(None, Works.WORKING_DAYS)),
        ({"CUT_OFF": "09:05", "WORKING_DAYS": "no"}, BusinessDays(time(9, 5))),
    ],
)
def test_each_account_tells_its_business_day(
    values: dict[str, str], found: BusinessDays | dict[str, str]
) -> None:
    """Any provider's, ours and a third party's alike; a midnight account has no entry."""
    for spec in adapters():
        given = {f"THUPHI_{spec.name.upper()}_{k}": v for k, v in values.items()}
        settings = read_settings(given, setting_names(adapters()))

        days = business_days(adapters(), settings)

        assert days == ({(spec.name, "default"): found} if values else {})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CUT_OFF", "4pm", "such as 16:30"),
        ("CUT_OFF", "24:00", "such as 16:30"),
        ("CUT_OFF", "16:30:00", "such as 16:30"),
        ("CUT_OFF", "00:00", "leave it out"),
        ("WORKING_DAYS", "true", "yes or no"),
    ],
)
def test_a_business_day_that_cannot_be_is_one_sentence(
    name: str, value: str, sentence: str
) -> None:
    settings = read_settings({f"THUPHI_VNPAY_{name}": value}, setting_names(adapters()))

    with pytest.raises(SettingError, match=sentence) as caught:
        business_days(adapters(), settings)

    assert f"THUPHI_VNPAY_{name}" in str(caught.value)


def test_a_cut_off_for_a_provider_that_is_not_set_up_is_not_passed_over() -> None:
    settings = read_settings({"THUPHI_VNPAY_CUT_OFF": "16:30"}, setting_names(adapters()))

    with pytest.raises(SettingError, match="vnpay also needs THUPHI_VNPAY_TMN_CODE"):
        offered(adapters(), settings, GuardedWire(frozenset(), ()))
