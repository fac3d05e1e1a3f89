"""verl's reward function: `reward.custom_reward_function.path=pkg://qoq_cluster.verl_rewards`."""

import asyncio
import json

from . import calls, jobs
from .client import QoqError

LINGER_SECONDS = 0.02
"""Answers that end within this time share a request."""

_waiting: list[tuple[dict, asyncio.Future]] = []
_flushes: set[asyncio.Task] = set()


async def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    """Scores an answer: `{"score": float, "qoq": JSON}`, which the trainer reads again.

    verl pads a group whose scoring failed and trains on. An error is therefore an answer too, with a score that is no number: the
    trainer ends the job with its words.
    """
    row = {"id": (extra_info or {}).get("index", 0), "response": solution_str, **json.loads(ground_truth)}
    try:
        score = await _score(row)
    except QoqError as error:
        return {"score": float("nan"), "qoq": json.dumps({"error": [error.code, error.message, error.hint]})}
    return {"score": score["score"], "qoq": json.dumps({"response": solution_str, **score})}


async def _score(row: dict) -> dict:
    future = asyncio.get_running_loop().create_future()
    _waiting.append((row, future))
    if len(_waiting) == 1:
        task = asyncio.ensure_future(_flush())
        _flushes.add(task)
        task.add_done_callback(_flushes.discard)
    return await future


async def _flush() -> None:
    await asyncio.sleep(LINGER_SECONDS)
    batch, _waiting[:] = _waiting[:], []
    try:
        settings = jobs.settings()["rewards"]
        scores = await asyncio.to_thread(calls.rewards, [row for row, _ in batch], settings)
        for (_, future), score in zip(batch, scores, strict=True):
            future.set_result(score)
    except Exception as error:  # every waiting answer ends as this request did
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
