"""verl's plug-in: VERL_USE_EXTERNAL_MODULES=qoq_cluster.verl_drpo.

verl gives an estimator rewards and uids alone. The trainer `qoq_sync` therefore reads what else a row says from the TransferQueue,
asks the server for the advantages of the whole batch, and the estimator `qoq` hands them to verl.
"""

import json

import numpy as np
import torch
import transfer_queue as tq
from verl.models.transformers import monkey_patch
from verl.trainer.ppo.core_algos import register_adv_est
from verl.trainer.ppo.v1 import register_trainer
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync

from . import calls, jobs, lines
from .client import QoqError

# verl 0.9 patches a class of value heads that TRL 1 has no longer; here nothing has a value head.
monkey_patch.is_trl_available = lambda: False

_values: list[torch.Tensor] = []
"""Advantages of the rows that verl asks about next; set for one call."""


@register_adv_est("qoq")
def advantages(token_level_rewards, response_mask, **_):
    """The server's advantage of each response, at each of its tokens."""
    if not _values:
        raise QoqError("QOQ_TRAINER", "The estimator qoq was asked without its trainer.", "Set trainer.v1.trainer_mode=qoq_sync.")
    values = _values[0].to(token_level_rewards.device).unsqueeze(-1) * response_mask
    return values, values


@register_trainer("qoq_sync")
class QoqTrainerSync(PPOTrainerSync):
    """verl's synchronous trainer with advantages of the server, and a line in the log for each step."""

    def __init__(self, config):
        config.trainer.v1.trainer_mode = "sync"  # the base class asks for this name
        super().__init__(config)

    def _compute_advantage(self, batch, metrics):
        rows = self._qoq_rows(batch)
        trained = sorted((i for i, row in enumerate(rows) if row is not None), key=lambda i: (rows[i]["row"], batch.keys[i]))
        rollouts = [rows[i] for i in trained]
        self._qoq_require_all(rollouts)
        settings = jobs.settings()
        values = calls.advantages(calls.batch_of(rollouts, settings["readsKl"]), settings["advantages"])
        tensor = torch.zeros(len(rows), dtype=torch.float32)  # rows that fill a batch up train nothing
        tensor[trained] = torch.tensor(values, dtype=torch.float32)
        self._qoq_rollouts = [{**one, "advantage": value} for one, value in zip(rollouts, values, strict=True)]
        _values[:] = [tensor]
        try:
            return super()._compute_advantage(batch, metrics)
        finally:
            _values.clear()

    def _qoq_require_all(self, rollouts):
        wanted = self.config.data.train_batch_size * self.config.actor_rollout_ref.rollout.n
        if len(rollouts) != wanted:  # verl fills a batch up and trains on
            raise QoqError(
                "QOQ_LOST", f"{wanted - len(rollouts)} of {wanted} answers of a step were lost.", "The log of the job says why: look for _run_prompt."
            )

    def _qoq_rows(self, batch):
        """What a row of the batch says; nothing of those that fill it up."""
        get = lambda *fields: tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=list(fields))
        said = get("extra_info", "extra_fields", "responses", "rm_scores")
        questions, extras = _plain(said["extra_info"]), _plain(said["extra_fields"])
        responses = said["responses"].unbind()
        kls = self._qoq_kl(get) if self.use_reference_policy else None
        rows = []
        for i, tag in enumerate(batch.tags):
            if tag.get("is_padding", False):
                rows.append(None)
                continue
            answer = json.loads(extras[i]["reward_extra_info"]["qoq"])
            if "error" in answer:
                raise QoqError(*answer["error"])
            ids = responses[i].tolist()
            rows.append(
                {
                    "row": int(questions[i]["index"]),
                    "domain": str(questions[i]["group"]),
                    "response": answer["response"],
                    "tokens": len(ids),
                    "finish": self._qoq_finish(ids),
                    "reward": answer["score"],
                    "parts": answer["parts"],
                    **({} if kls is None else {"kl": kls[i]}),
                }
            )
        return rows

    def _qoq_finish(self, ids):
        if ids and ids[-1] == self.tokenizer.eos_token_id:
            return "end"
        return "length" if len(ids) >= self.config.data.max_response_length else "stop"

    def _qoq_kl(self, get):
        """KL_i of each answer: the sum over its tokens of k3(log p, log p_ref), before the update."""
        data = get("old_log_probs", "ref_log_prob", "response_mask")
        kls = []
        for old, reference, mask in zip(*(data[name].unbind() for name in ("old_log_probs", "ref_log_prob", "response_mask")), strict=True):
            delta = reference.double() - old.double()
            kls.append(float(((torch.exp(delta) - delta - 1) * mask).sum()))
        return kls

    def _compute_metrics(self, batch, metrics, timing_raw, global_steps, epoch):
        super()._compute_metrics(batch, metrics, timing_raw, global_steps, epoch)
        rollouts = self._qoq_rollouts
        for one in rollouts[jobs.settings()["keptResponses"] :]:
            del one["response"]  # a log has room for some
        seconds = lambda *names: float(sum(timing_raw.get(name, 0.0) for name in names))
        number = lambda name: None if name not in metrics else float(np.mean(metrics[name]))
        lines.step(
            {
                "step": int(global_steps),
                "seconds": seconds("step"),
                "rollouts": rollouts,
                "times": {
                    "rollout": seconds("gen"),
                    "reward": seconds("reward"),
                    "score": seconds("old_log_prob", "ref"),
                    "advantage": seconds("adv"),
                    "update": seconds("update_actor"),
                },
                # verl gives means over the updates of a step.
                "updateCount": jobs.settings()["updatesPerStep"],
                "updates": [
                    {
                        "loss": number("actor/loss") if "actor/loss" in metrics else number("actor/pg_loss"),
                        "gradientNorm": number("actor/grad_norm"),
                        "learningRate": number("actor/lr"),
                        "entropy": number("actor/entropy"),
                        "clipFraction": number("actor/pg_clipfrac"),
                        "klPenalty": number("actor/kl_loss"),
                    }
                ],
            }
        )


def _plain(values):
    return [getattr(one, "data", one) for one in values]
