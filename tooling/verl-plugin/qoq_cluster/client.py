"""Calls of the server: idempotent, authenticated, retried while it is away."""

import json
import os
import time
import urllib.error
import urllib.request

ANSWER_SECONDS = 120
"""Longest wait for one answer: a batch of 65,536 x 16 advantages takes seconds."""
LONGEST_PAUSE_SECONDS = 5.0


class QoqError(RuntimeError):
    """What ends a job: one sentence, and the next step."""

    def __init__(self, code: str, message: str, hint: str):
        super().__init__(f"{message} {hint}")
        self.code, self.message, self.hint = code, message, hint

    def __reduce__(self):  # Ray carries it from process to process
        return QoqError, (self.code, self.message, self.hint)


def post(path: str, body: dict, patience: float | None = None) -> dict:
    """Posts to the server that QOQ_URL names, with the key of QOQ_KEY.

    A call changes nothing there, so it is made again after a broken connection, 408, 429 or 5xx, for `patience` seconds (default
    QOQ_PATIENCE, 120). Any other refusal ends the job at once: the request would be refused again.
    """
    url = os.environ.get("QOQ_URL", "http://127.0.0.1:8080")
    patience = float(os.environ.get("QOQ_PATIENCE", "120")) if patience is None else patience
    data = json.dumps(body, allow_nan=False).encode()
    headers = {"content-type": "application/json"}
    if os.environ.get("QOQ_KEY"):
        headers["authorization"] = f"Bearer {os.environ['QOQ_KEY']}"
    request = urllib.request.Request(url + path, data, headers, method="POST")
    end, pause = time.monotonic() + patience, 0.2
    while True:
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            if refusal.code not in (408, 429) and refusal.code < 500:
                raise _refused(path, refusal) from None
            reason = f"it answered {refusal.code}"
        except (OSError, ValueError) as broken:  # a connection that is refused, reset, or cut off within its JSON
            reason = str(getattr(broken, "reason", broken)) or type(broken).__name__
        if time.monotonic() + pause > end:
            raise QoqError(
                "QOQ_SERVER_AWAY",
                f"The server of rewards and advantages at {url} was away for {patience:g} seconds: {reason}.",
                "Start it again with `qoq serve --rewards-only`, or let `qoq train --attach` start it, then train again.",
            )
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _refused(path: str, refusal: urllib.error.HTTPError) -> QoqError:
    """The server's own sentence where it sent one."""
    try:
        error = json.loads(refusal.read())["error"]
        return QoqError(str(error["code"]), str(error["message"]), str(error["hint"]))
    except (ValueError, KeyError, TypeError):
        return QoqError("QOQ_REFUSED", f"The server refused {path} with {refusal.code}.", "Check its address and the key.")
