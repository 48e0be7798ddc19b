"""Logs are JSON lines on standard error; values that a person sent are never in them."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

# What may stand beside the message: our own words and numbers, never what somebody sent.
_FIELDS: Final = (
    "request_id", "method", "path", "status", "took_ms", "job", "item", "account", "why",
)  # fmt: skip


class JsonLines(logging.Formatter):
    """One line, one object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, message and the known fields; of an error its kind and place only.

        A library's sentence may quote what somebody sent, so only its place is told: the source
        says the rest.
        """
        at = datetime.fromtimestamp(record.created, UTC)
        is_ours = record.name.partition(".")[0] == "thuphi"
        line: dict[str, object] = {
            "at": at.isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage() if is_ours else f"{record.module}:{record.lineno}",
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


def start_logs(least: int = logging.INFO, to: TextIO | None = None) -> None:
    """Send every line to standard error in our form: ours from ``least`` on, others' warnings.

    Libraries say less because their lines hold whole addresses, whose queries may hold anything.
    """
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("thuphi").setLevel(least)
    logging.captureWarnings(capture=True)
