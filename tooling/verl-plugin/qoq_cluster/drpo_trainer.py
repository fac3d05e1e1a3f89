"""TRL's GRPOTrainer with rewards and advantages of the server."""

import json
import time

import torch
from accelerate.utils import broadcast_object_list, gather_object
from trl import GRPOTrainer

from . import calls, lines
from .client import QoqError


class DrpoTrainer(GRPOTrainer):
    """Replaces two things: the rewards of a step's answers, and the advantages that are made of them.

    A step here is what the configuration calls one: the questions of one rollout batch, in all their optimizer updates.
    """

    def __init__(self, *args, qoq: dict, **kwargs):
        self.qoq = qoq
        self._qoq_step = None  # of the main process: what the running step has made so far
        self._qoq_began = time.monotonic()
        super().__init__(*args, reward_funcs=[self._qoq_reward], **kwargs)

    def _qoq_reward(self, prompts, completions, completion_ids, row, truth, **_):
        """Scores this process's answers; `row` and `truth` are columns of the data."""
        texts = [one if isinstance(one, str) else one[-1]["content"] for one in completions]
        began = time.monotonic()
        rows = [{"id": at, "response": text, **json.loads(fields)} for at, text, fields in zip(row, texts, truth, strict=True)]
        scores = calls.rewards(rows, self.qoq["rewards"])
        self._qoq_answers = list(zip(row, texts, completion_ids, scores, strict=True))
        self._qoq_reward_seconds = time.monotonic() - began
        return [one["score"] for one in scores]

    _qoq_reward.__name__ = "qoq"

    def _generate_and_score_completions(self, inputs):
        began = time.monotonic()
        output = super()._generate_and_score_completions(inputs)
        kl = self._qoq_kl(output)
        domains = [one["domain"] for one in inputs]
        limit, eos = self.max_completion_length, set(self.eos_token_ids)
        own = [
            {
                "row": row,
                "domain": domain,
                "response": text,
                "tokens": len(ids),
                "finish": "end" if ids and ids[-1] in eos else "length" if len(ids) >= limit else "stop",
                "reward": score["score"],
                "parts": score["parts"],
                **({} if kl is None else {"kl": kl[i]}),
            }
            for i, ((row, text, ids, score), domain) in enumerate(zip(self._qoq_answers, domains, strict=True))
        ]
        rollouts = gather_object(own)
        scored = time.monotonic()
        values = self._qoq_advantages(rollouts)
        start = self.accelerator.process_index * len(own)
        mine = values[start : start + len(own)]
        output["advantages"] = torch.tensor(mine, dtype=torch.float32, device=output["advantages"].device)
        if self.accelerator.is_main_process and self.model.training:
            rollouts = [{**one, "advantage": value} for one, value in zip(rollouts, values, strict=True)]
            for one in rollouts[self.qoq["keptResponses"] :]:
                del one["response"]  # a log has room for some
            times = {
                "rollout": scored - began - self._qoq_reward_seconds,
                "reward": self._qoq_reward_seconds,
                "advantage": time.monotonic() - scored,
            }
            self._qoq_step = {"rollouts": rollouts, "times": times, "updates": []}
        return output

    def _qoq_kl(self, output):
        """KL_i of each answer: the sum over its tokens of k3(log p, log p_ref), before the update."""
        reference = output.get("ref_per_token_logps")
        if reference is None:
            return None
        old = output.get("old_per_token_logps")
        if old is None:  # one update per batch: nothing else needs them
            ids = torch.cat([output["prompt_ids"], output["completion_ids"]], dim=1)
            seen = torch.cat([output["prompt_mask"], output["completion_mask"]], dim=1)
            media = ("pixel_values", "image_grid_thw", "num_images", "pixel_attention_mask", "mm_token_type_ids")
            with torch.no_grad():
                old, _, _ = self._get_per_token_logps_and_entropies(
                    self.model,
                    ids,
                    seen,
                    output["completion_ids"].size(1),
                    batch_size=self.args.per_device_train_batch_size,
                    **{name: output[name] for name in media if name in output},
                )
        delta = reference.double() - old.double()
        k3 = torch.exp(delta) - delta - 1
        return (k3 * output["completion_mask"]).sum(dim=1).tolist()

    def _qoq_advantages(self, rollouts):
        """The server's, asked once; every process ends where the asking one fails."""
        answer = [None]
        if self.accelerator.is_main_process:
            try:
                answer = [calls.advantages(calls.batch_of(rollouts, self.qoq["readsKl"]), self.qoq["advantages"])]
            except QoqError as error:
                answer = [(error.code, error.message, error.hint)]
        [values] = broadcast_object_list(answer, from_process=0)
        if isinstance(values, tuple):
            raise QoqError(*values)
        return values

    def log(self, logs, start_time=None):
        """Notes every update; a step is said when its last update is."""
        entropy = self._metrics["train"].get("entropy", [])
        clip = self._metrics["train"].get("clip_ratio/region_mean", [])
        kl = self._metrics["train"].get("kl", [])
        last = lambda values: values[-1] if values else None
        if self._qoq_step is not None and "loss" in logs:
            self._qoq_step["updates"].append(
                {
                    "loss": logs["loss"],
                    "gradientNorm": logs.get("grad_norm"),
                    "learningRate": logs.get("learning_rate"),
                    "entropy": last(entropy),
                    "clipFraction": last(clip),
                    "klPenalty": last(kl),
                }
            )
            if len(self._qoq_step["updates"]) == self.qoq["updatesPerStep"]:
                now = time.monotonic()
                number = self.state.global_step // self.qoq["updatesPerStep"]
                spent = sum(self._qoq_step["times"].values())
                self._qoq_step["times"]["update"] = max(0.0, now - self._qoq_began - spent)
                lines.step({"step": number, "seconds": now - self._qoq_began, **self._qoq_step})
                self._qoq_step, self._qoq_began = None, now
        super().log(logs, start_time)
