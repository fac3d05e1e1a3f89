"""What is asked of the server: rewards of answers, advantages of a batch."""

from . import client

REWARD_ROWS = 256
"""Rows of one request: some hundred kilobytes of answers."""


def rewards(rows: list[dict], settings: dict) -> list[dict]:
    """Scores answers: `{score, parts}` of each.

    rows: `{id, response, ...truth}` as `qoq rewards` takes them
    settings: `{"preset": name}` or `{"weights": {name: weight}}`
    """
    scores: list[dict] = []
    for start in range(0, len(rows), REWARD_ROWS):
        part = rows[start : start + REWARD_ROWS]
        answer = client.post("/v1/rewards", {"rows": part, **settings})["rows"]
        if len(answer) != len(part):
            raise client.QoqError("QOQ_ANSWER", f"The server scored {len(answer)} of {len(part)} answers.", "Update it.")
        scores += [{"score": float(row["score"]), "parts": row["parts"]} for row in answer]
    return scores


def batch_of(rollouts: list[dict], reads_kl: bool) -> dict:
    """The columns of a batch of rollouts, with `kl` where the estimator reads it."""
    column = lambda name: [one[name] for one in rollouts]
    return {
        "rewards": column("reward"),
        "questionIds": column("row"),
        "domains": column("domain"),
        "lengths": column("tokens"),
        **({"kl": column("kl")} if reads_kl else {}),
    }


def advantages(batch: dict, settings: dict) -> list[float]:
    """Advantages of a batch, one for each response.

    batch: columns `rewards`, `questionIds`, `domains`, `lengths`, and `kl` where the estimator reads it
    settings: `{"estimator": name, "options": {...}}`
    """
    answer = client.post("/v1/advantages", {**batch, **settings})["advantages"]
    if len(answer) != len(batch["rewards"]):
        raise client.QoqError(
            "QOQ_ANSWER", f"The server gave {len(answer)} advantages for {len(batch['rewards'])} responses.", "Update it."
        )
    return [float(value) for value in answer]


def check(settings: dict) -> None:
    """Asks for both once, with the settings of a job: an address, a key or a setting that is wrong ends it before it begins."""
    rewards([{"id": 0, "response": "", "answer": [""]}], settings["rewards"])
    batch = {"rewards": [0, 1], "questionIds": [0, 0], "domains": ["", ""], "lengths": [1, 1]}
    advantages({**batch, **({"kl": [0, 0]} if settings["readsKl"] else {})}, settings["advantages"])
