"""Runs verl's own functions with the plug-in in an actor of a real Ray: `python verl_in_ray.py input.json`.

It prints SCORED and waits for a line, then prints one line of JSON. What it answers is compared with the TypeScript packages by
packages/cli/test/verl-plugin.test.ts.
"""

import asyncio
import json
import os
import sys

import ray


@ray.remote(num_cpus=0)
class Runner:
    def score(self, rows):
        """Scores as verl's reward loop asks for them."""
        from omegaconf import OmegaConf
        from verl.trainer.ppo.reward import get_custom_reward_fn

        where = {"path": "pkg://qoq_cluster.verl_rewards", "name": "compute_score", "reward_kwargs": {}}
        function = get_custom_reward_fn(OmegaConf.create({"reward": {"custom_reward_function": where}}))

        async def all_of_them():
            asks = [
                function(data_source="clinic", solution_str=row["response"], ground_truth=row["truth"], extra_info={"index": row["index"]})
                for row in rows
            ]
            return await asyncio.gather(*asks)

        self.scores = asyncio.run(all_of_them())
        return [score["score"] for score in self.scores]

    def advantages(self, rows):
        """Advantages by `_compute_advantage` of verl's trainer, over its own store, in a shuffled order."""
        import random

        import torch
        import transfer_queue as tq
        import verl
        from omegaconf import OmegaConf
        from transfer_queue import KVBatchMeta
        from verl.trainer.ppo.v1 import get_trainer_cls
        from verl.utils import tensordict_utils

        store = OmegaConf.load(os.path.join(os.path.dirname(verl.__file__), "trainer/config/transfer_queue/transfer_queue.yaml"))
        store.enable = True
        store.backend.SimpleStorage.num_data_storage_units = 1
        tq.init(store)
        keys, fields = [], []
        for at, (row, score) in enumerate(zip(rows, self.scores, strict=True)):
            old = torch.tensor(row["old"])
            reward = torch.zeros(len(old))
            reward[-1] = score["score"]
            keys.append(f"q{row['index']:04}_{at:05}_0")
            fields.append(
                {
                    "uid": f"q{row['index']}",
                    "responses": torch.zeros(len(old), dtype=torch.long),
                    "rm_scores": reward,
                    "response_mask": torch.ones(len(old), dtype=torch.long),
                    "rollout_log_probs": old,
                    "old_log_probs": old,
                    "ref_log_prob": torch.tensor(row["reference"]),
                    "extra_info": {"index": row["index"], "group": row["domain"]},
                    "extra_fields": {"reward_extra_info": score},
                }
            )
        tq.kv_batch_put(
            keys=keys,
            fields=tensordict_utils.list_of_dict_to_tensordict(fields),
            tags=[{"status": "success"} for _ in keys],
            partition_id="train",
        )
        order = list(range(len(keys)))
        random.Random(0).shuffle(order)
        batch = KVBatchMeta(partition_id="train", keys=[keys[i] for i in order], tags=[{} for _ in keys])
        trainer = get_trainer_cls("qoq_sync").__new__(get_trainer_cls("qoq_sync"))
        trainer.use_reference_policy = True
        trainer.tokenizer = type("Tokenizer", (), {"eos_token_id": -1})
        questions = len({row["index"] for row in rows})
        trainer.config = OmegaConf.create(
            {
                "algorithm": {"adv_estimator": "qoq", "use_kl_in_reward": False, "gamma": 1.0, "lam": 1.0, "norm_adv_by_std_in_grpo": True},
                "actor_rollout_ref": {"rollout": {"n": len(rows) // questions}},
                "data": {"train_batch_size": questions, "max_response_length": 1000},
            }
        )
        trainer._compute_advantage(batch, {})
        answer = tq.kv_batch_get(keys=keys, partition_id="train", select_fields=["advantages"])["advantages"]
        tq.close()
        constant = all(bool((one == one[0]).all()) for one in answer.unbind())
        return {"advantages": [float(one[0]) for one in answer.unbind()], "sameForEachToken": constant}

    def loss(self, rows, advantages, options):
        """verl's policy loss of the same batch."""
        import torch
        from omegaconf import OmegaConf
        from verl.trainer.ppo.core_algos import agg_loss, compute_policy_loss_vanilla, kl_penalty

        width = max(len(row["old"]) for row in rows)
        padded = lambda name: torch.tensor([row[name] + [0.0] * (width - len(row[name])) for row in rows], dtype=torch.float32)
        mask = torch.tensor([[1.0] * len(row["old"]) + [0.0] * (width - len(row["old"])) for row in rows])
        config = OmegaConf.create(
            {
                "clip_ratio": options["low"],
                "clip_ratio_low": options["low"],
                "clip_ratio_high": options["high"],
                "clip_ratio_c": options["dual"],
                "global_batch_info": {},
                "policy_loss": {"loss_mode": "vanilla"},
            }
        )
        values = torch.tensor(advantages).unsqueeze(-1) * mask
        surrogate, metrics = compute_policy_loss_vanilla(padded("old"), padded("policy"), values, mask, options["aggregation"], config)
        penalty = agg_loss(kl_penalty(padded("policy"), padded("reference"), "low_var_kl"), mask, options["aggregation"])
        ratio = torch.exp(padded("policy") - padded("old"))[mask > 0]
        return {
            "surrogate": float(surrogate),
            "klPenalty": float(penalty),
            "ratioMean": float(ratio.mean()),
            **{name: float(value) for name, value in metrics.items()},
        }

    def loaded(self):
        import verl

        return {"verl": verl.__version__, "loaded": "qoq_cluster.verl_drpo" in sys.modules, "working": os.path.basename(os.getcwd())}


def start_ray(runtime, tries=5):
    """A Ray of its own. Ray gives its processes about 15 s to start, which a busy machine may not hold: tries again."""
    for left in reversed(range(tries)):
        try:
            return ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=runtime)
        except Exception:
            ray.shutdown()
            if left == 0:
                raise


def main(file: str) -> None:
    with open(file, encoding="utf8") as text:
        given = json.load(text)
    names = ("QOQ_URL", "QOQ_KEY", "QOQ_PATIENCE", "QOQ_JOB", "PYTHONPATH", "VERL_USE_EXTERNAL_MODULES", "VERL_PLATFORM")
    start_ray({"env_vars": {name: os.environ[name] for name in names}})
    runner = Runner.remote()
    answer = {"where": ray.get(runner.loaded.remote()), "rewards": ray.get(runner.score.remote(given["rows"]))}
    print("SCORED", flush=True)
    sys.stdin.readline()
    answer.update(ray.get(runner.advantages.remote(given["rows"])))
    answer["losses"] = [ray.get(runner.loss.remote(given["rows"], answer["advantages"], options)) for options in given["losses"]]
    print("ANSWER " + json.dumps(answer), flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
