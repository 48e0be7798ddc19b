"""A request for a payment with one field wrong, in every way that somebody has thought of."""

from typing import Any

WRONG: list[tuple[str, Any]] = [
    ("agency", "hn-tthcc"), ("agency", 5), ("agency", None), ("branch", "nowhere"),
    ("branch", ["online"]), ("dossier_id", ""), ("dossier_id", "a b"), ("dossier_id", "x" * 101),
    ("dossier_id", "\u202eabc"), ("dossier_id", None), ("procedure", "nope"),
    ("procedure", "1.004222\u0000"), ("price_on", "18/11/2026"), ("price_on", "2026-02-30"),
    ("price_on", "٢٠٢٦-١١-١٨"), ("price_on", "2027-01-15"), ("price_on", 20261118),
    ("expires_at", "2020-01-01T00:00:00Z"), ("expires_at", "2026-11-25"),
    ("expires_at", "2026-11-25T00:00:00"), ("expires_at", "9999-12-31T23:59:59-23:59"),
    ("facts", {"quantity": True}), ("facts", {"quantity": "1"}), ("facts", {"quantity": 1.0}),
    ("facts", {"quantity": 0}), ("facts", {"channel": "boat"}), ("facts", {"x": 1}),
    ("facts", []), ("facts", None), ("payer", "me"), ("payer", {"name": 5}),
    ("payer", {"religion": "x"}), ("metadata", {"k": 5}), ("metadata", []),
    ("metadata", {"k" * 41: "v"}), ("metadata", {"a\nb": "v"}), ("metadata", {"\x00": "v"}),
    ("return_url", "javascript:alert(1)"),
    ("return_url", "https://u:p@dvc.example.vn/"), ("return_url", "https://evil.example/"),
    ("instalment", 0), ("surprise", 1),
    ("lines", [{"code": "x", "kind": "phi", "name": "x", "amount": 1, "budget_line": "2767"}]),
]  # fmt: skip
