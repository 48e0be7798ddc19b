"""All settings, checked whole at start: THUPHI_* from the environment and ``.env``."""

import difflib
import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from gateway.domain.addresses import is_origin, is_plain_url, origin_of
from gateway.infra.wire import Network
from receipts.post import MailPlace
from receipts.token import TokenPlace

PREFIX: Final = "THUPHI_"
NAMES: Final = frozenset(
    {
        "DATABASE_URL", "DATABASE_PASSWORD_FILE", "DATA_DIR", "PUBLIC_URL", "MASTER_KEY",
        "MASTER_KEY_FILE", "MASTER_KEY_FORMER_FILE", "WIRE_ALLOW", "TRUSTED_PROXIES", "CLOCK",
        "DEFAULT_AGENCY", "ALLOW_ABROAD", "TEST_DATABASE_URL", "PKCS11_MODULE", "PKCS11_TOKEN",
        "PKCS11_PIN_FILE", "TSA_URL", "LOG_PUSH", "HIGH_WATER_DIR", "HIGH_WATER_DAYS",
        "SMTP_URL", "SMTP_FROM", "SMTP_PASSWORD_FILE",
    }
)  # fmt: skip
_TOKEN: Final = ("PKCS11_MODULE", "PKCS11_TOKEN", "PKCS11_PIN_FILE")
_DATABASE_FILES: Final = frozenset({"sslrootcert", "sslcert", "sslkey"})
# What libpq calls them; the driver reads the address by its rules.
_DATABASE_OPTIONS: Final = _DATABASE_FILES | {"host", "port", "sslmode", "sslpassword"}
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_WELL_KNOWN_PORTS: Final = {"http": 80, "https": 443}
_AGENCY: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")  # As the API takes it.
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
public_url_default: Final = "http://127.0.0.1:8080"


class SettingError(Exception):
    """A setting is missing, unknown or malformed; the sentence says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    database_url: str | None = field(repr=False)
    data_dir: Path
    high_water_dir: Path  # Where receipts are kept that a restored database must not forget.
    high_water_days: int  # For how long: as far back as backups go.
    public_url: str
    master_key: str = field(repr=False)
    master_key_former: str = field(repr=False)  # Opens what it sealed, until it is sealed anew.
    wire_allow: tuple[Network, ...]
    trusted_proxies: tuple[Network, ...]  # Whose X-Forwarded-For is believed.
    default_agency: str
    allow_abroad: bool  # Whether personal data may leave the country: off for a public agency.
    log_push: str  # Where checkpoints are put for another body: a folder, an address, or nowhere.
    clock_at: datetime | None
    stamp_url: str  # Where receipts are time-stamped; empty: nowhere.
    token: TokenPlace | None = field(repr=False)  # Where keys are that never leave it.
    mail: MailPlace | None = field(repr=False)  # Who carries receipts by e-mail; None: nobody.
    adapters: Mapping[str, str] = field(repr=False)  # Field name -> value, for the adapters.

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach us."""
        return urlsplit(self.public_url).hostname in _LOOPBACK


def environment(folder: Path) -> dict[str, str]:
    """Read ``.env`` and lay the real environment over it."""
    found: dict[str, str] = {}
    path = folder / ".env"
    if path.exists():
        for n, line in enumerate(_lines(path), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, sign, value = text.partition("=")
            if not sign:
                raise SettingError(f"Line {n} of .env is not NAME=value.")
            found[name.strip()] = value.strip().strip('"')
    return found | {k: v for k, v in os.environ.items() if k.startswith(PREFIX)}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise SettingError(f".env cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingError(".env is not UTF-8: save it as UTF-8.") from None


def read_settings(values: Mapping[str, str], adapter_fields: Iterable[str]) -> Settings:
    """Check everything at once. Raises SettingError with one sentence."""
    mine = {k.removeprefix(PREFIX): v for k, v in values.items() if k.startswith(PREFIX)}
    fields = frozenset(adapter_fields)
    for name in sorted(mine):
        if name not in NAMES | fields:
            near = difflib.get_close_matches(name, NAMES | fields, n=2)
            hint = f" Did you mean {' or '.join(PREFIX + n for n in near)}?" if near else ""
            raise SettingError(f"There is no setting {PREFIX}{name}.{hint}")
    settings = Settings(
        database_url=_database(mine),
        data_dir=_folder(mine),
        high_water_dir=_high_water(mine),
        high_water_days=_days(mine),
        public_url=_public_url(mine),
        master_key=_master_key(mine),
        master_key_former=_content(mine, "MASTER_KEY_FORMER_FILE")
        if "MASTER_KEY_FORMER_FILE" in mine
        else "",
        wire_allow=_networks(mine, "WIRE_ALLOW"),
        trusted_proxies=_networks(mine, "TRUSTED_PROXIES"),
        default_agency=_agency(mine),
        allow_abroad=_switch(mine, "ALLOW_ABROAD"),
        log_push=_log_push(mine),
        clock_at=_instant(mine.get("CLOCK")),
        stamp_url=_stamp_url(mine),
        token=_token(mine),
        mail=_mail(mine),
        adapters={k: v for k, v in mine.items() if k in fields},
    )
    if settings.wire_allow and not settings.is_loopback:
        raise SettingError(
            "THUPHI_WIRE_ALLOW is for loopback only; remove it for a public address."
        )
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        raise SettingError(
            "THUPHI_TRUSTED_PROXIES must name your proxies: with all addresses in it, anybody could"
            " say that they are anybody."
        )
    return settings


def _public_url(mine: Mapping[str, str]) -> str:
    """Take the origin that citizens see, as browsers write it: no port that goes without saying."""
    given = mine.get("PUBLIC_URL", public_url_default)
    if not is_origin(given):
        raise SettingError("THUPHI_PUBLIC_URL must be like https://pay.example.vn, with no path.")
    parts = urlsplit(origin_of(given))
    if parts.port == _WELL_KNOWN_PORTS[parts.scheme]:
        parts = parts._replace(netloc=parts.netloc.rpartition(":")[0])
    return parts.geturl()


def _folder(mine: Mapping[str, str]) -> Path:
    given = mine.get("DATA_DIR", ".data")
    if not given.strip():
        raise SettingError("THUPHI_DATA_DIR must name a folder; leave it out for .data.")
    return Path(given).absolute()


def _days(mine: Mapping[str, str]) -> int:
    given = mine.get("HIGH_WATER_DAYS", "35")
    if not re.fullmatch("[1-9][0-9]{0,3}", given, re.ASCII):
        raise SettingError("THUPHI_HIGH_WATER_DAYS must be 1 to 9999: your oldest backup's age.")
    return int(given)


def _high_water(mine: Mapping[str, str]) -> Path:
    given = mine.get("HIGH_WATER_DIR", f"{_folder(mine) / 'high-water'}")
    if not Path(given).is_absolute():
        raise SettingError("THUPHI_HIGH_WATER_DIR must be absolute, best on another disk.")
    return Path(given)


def _log_push(mine: Mapping[str, str]) -> str:
    """Take where checkpoints go: what is read on the way could be held back, but not changed."""
    given = mine.get("LOG_PUSH", "")
    if not given or Path(given).is_absolute():
        return given
    parts = urlsplit(given) if is_plain_url(given) else None
    is_here = parts is not None and parts.hostname in _LOOPBACK
    if parts is None or parts.query or (parts.scheme != "https" and not is_here):
        raise SettingError(
            "THUPHI_LOG_PUSH must be an absolute folder, or like https://archive.example.vn/log."
        )
    return given.rstrip("/")


def _agency(mine: Mapping[str, str]) -> str:
    given = mine.get("DEFAULT_AGENCY", "hn-tthcc-test")
    if not _AGENCY.fullmatch(given):
        raise SettingError("THUPHI_DEFAULT_AGENCY must be an agency's id such as hn-tthcc.")
    return given


def _database(mine: Mapping[str, str]) -> str | None:
    """Take the database's address; its password may stand in a file of its own."""
    url = mine.get("DATABASE_URL")
    if url is not None:
        _check_database(url)
    if "DATABASE_PASSWORD_FILE" not in mine:
        return url
    parts = urlsplit(url or "")
    if not parts.username or parts.password is not None:
        raise SettingError(
            "THUPHI_DATABASE_PASSWORD_FILE needs THUPHI_DATABASE_URL with a user and no password."
        )
    user, _, host = parts.netloc.rpartition("@")
    password = quote(_content(mine, "DATABASE_PASSWORD_FILE"), safe="")
    return parts._replace(netloc=f"{user}:{password}@{host}").geturl()


def _check_database(url: str) -> None:
    """Find now what the driver would trip over. Raises SettingError, which never quotes the URL."""
    try:
        parts = urlsplit(url)
        _, options = parts.port, dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        raise SettingError("THUPHI_DATABASE_URL has no readable host and port.") from None
    if parts.scheme not in ("postgresql", "postgres") or not url.startswith(f"{parts.scheme}://"):
        raise SettingError("THUPHI_DATABASE_URL must begin with postgresql://.")
    for name in sorted(options.keys() - _DATABASE_OPTIONS):
        raise SettingError(
            f"THUPHI_DATABASE_URL has an unknown option {name}; there are"
            f" {', '.join(sorted(_DATABASE_OPTIONS))}."
        )
    if options.get("sslmode", SSL_MODES[0]) not in SSL_MODES:
        raise SettingError(f"THUPHI_DATABASE_URL: sslmode must be one of {', '.join(SSL_MODES)}.")
    if options.get("sslmode", "").startswith("verify-") and "sslrootcert" not in options:
        raise SettingError(
            f"THUPHI_DATABASE_URL: sslmode={options['sslmode']} needs sslrootcert, the file of"
            " who signed the server's certificate."
        )
    for name in _DATABASE_FILES & options.keys():
        if not os.access(options[name], os.R_OK):
            raise SettingError(f"THUPHI_DATABASE_URL: the file of {name} cannot be read.")


def _master_key(mine: Mapping[str, str]) -> str:
    if "MASTER_KEY" in mine and "MASTER_KEY_FILE" in mine:
        raise SettingError("Set THUPHI_MASTER_KEY or THUPHI_MASTER_KEY_FILE, not both.")
    if "MASTER_KEY_FILE" not in mine:
        return mine.get("MASTER_KEY", "")
    return _content(mine, "MASTER_KEY_FILE")


def _content(mine: Mapping[str, str], name: str) -> str:
    return secret_in(Path(mine[name]), f"{PREFIX}{name}")


def secret_in(path: Path, called: str) -> str:
    """Read a secret that stands in a file of its own."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingError(f"{called} cannot be read; check its path.") from None


def make_folder(path: Path) -> None:
    """Make the data folder, which only the embedded database and its key need."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"THUPHI_DATA_DIR: {path} cannot be a folder ({error.strerror}); name another."
        ) from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise SettingError(
            f"THUPHI_DATA_DIR: this user may not write in {path}; change its owner, or name"
            " another."
        )


def _stamp_url(mine: Mapping[str, str]) -> str:
    given = mine.get("TSA_URL", "")
    if given and not is_plain_url(given):
        raise SettingError("THUPHI_TSA_URL must be the address of a time-stamp authority.")
    return given


def _token(mine: Mapping[str, str]) -> TokenPlace | None:
    """Take the token that signs receipts: all three settings, or none."""
    missing = [name for name in _TOKEN if not mine.get(name)]
    if len(missing) == len(_TOKEN):
        return None
    if missing:
        raise SettingError(
            f"{' and '.join(PREFIX + n for n in missing)} must be set too: a token has a module,"
            " a label and a PIN."
        )
    module = Path(mine["PKCS11_MODULE"]).absolute()
    if not os.access(module, os.R_OK):
        raise SettingError("THUPHI_PKCS11_MODULE cannot be read: give the path of the library.")
    return TokenPlace(module, mine["PKCS11_TOKEN"], _content(mine, "PKCS11_PIN_FILE"))


def _mail(mine: Mapping[str, str]) -> MailPlace | None:
    """Take the mail server; its password stands in a file of its own."""
    url = mine.get("SMTP_URL", "")
    if not url:
        return None
    given = "SMTP_PASSWORD_FILE" in mine
    password = _content(mine, "SMTP_PASSWORD_FILE") if given else ""
    try:
        return MailPlace.of(url, mine.get("SMTP_FROM", ""), password)
    except ValueError as error:
        raise SettingError(f"THUPHI_SMTP_URL {error} (THUPHI_SMTP_FROM).") from None


def _networks(mine: Mapping[str, str], name: str) -> tuple[Network, ...]:
    text = mine.get(name, "")
    try:
        return tuple(ipaddress.ip_network(x.strip()) for x in text.split(",") if x.strip())
    except ValueError:
        raise SettingError(f"{PREFIX}{name} must be CIDRs such as 127.0.0.0/8.") from None


def _switch(mine: Mapping[str, str], name: str) -> bool:
    text = mine.get(name, "no")
    if text not in ("yes", "no"):
        raise SettingError(f"{PREFIX}{name} must be yes or no.")
    return text == "yes"


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise SettingError("THUPHI_CLOCK must be an instant such as 2026-11-18T01:00:00Z.")
    return at
