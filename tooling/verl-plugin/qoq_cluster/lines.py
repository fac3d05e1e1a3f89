"""What a job says of itself in its log: one line of JSON for each step, and for the error that ended it.

The log is the only way back that every engine has. Whoever reads it takes lines with these words, wherever in a line they stand:
Ray writes the name of the process before them.
"""

import json
import math

STEP, ERROR, RESULT = "QOQ_STEP ", "QOQ_ERROR ", "QOQ_RESULT "


def step(record: dict) -> None:
    """Says what a step made; numbers that are not finite become null."""
    print(STEP + json.dumps(_finite(record), allow_nan=False), flush=True)


def error(code: str, message: str, hint: str) -> None:
    """Says why the job ends."""
    print(ERROR + json.dumps({"code": code, "message": message, "hint": hint}), flush=True)


def result(folder: str) -> None:
    """Says where the trained model lies."""
    print(RESULT + json.dumps({"model": folder}), flush=True)


def _finite(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return value
