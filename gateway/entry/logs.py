"""Logs are JSON lines on standard error; values that a person sent are never in them."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

# What may stand beside the message: our own words and numbers, never what somebody sent.
_FIELDS: Final = ("request_id", "method", "path", "status", "took_ms", "job", "item")


class JsonLines(logging.Formatter):
    """One line, one object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, message and the known fields; of an error its kind and place only."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "at": at.isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            # The text of a database error quotes values, so only its kind and place are kept.
            line["error"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace and trace.tb_next:
                trace = trace.tb_next
            if trace:
                code = trace.tb_frame.f_code
                line["where"] = f"{code.co_name}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)


def hush() -> None:
    """Keep libraries from writing whole addresses, whose queries may hold anything."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def start_logs() -> None:
    """Send our lines to standard error."""
    hush()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger("thuphi")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
