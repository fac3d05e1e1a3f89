"""Answers by transformers' `generate`: `rollout.name=transformers`. It needs no GPU and is slow: one request at a time."""

import asyncio

import ray
import torch
from verl.workers.rollout import base as rollout_base
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, RolloutReplicaRegistry, TokenOutput


class TransformersRollout(BaseRollout):
    """Hands the weights of a training step to the answering model, through a file that both see."""

    def __init__(self, config, model_config, device_mesh, *args, **kwargs):
        super().__init__(config, model_config, device_mesh)

    async def resume(self, tags):
        pass

    async def release(self):
        pass

    async def update_weights(self, weights, wire_format="named_tensors", **kwargs):
        named = {name: tensor.detach().to("cpu").contiguous().clone() for name, tensor in weights}
        rank = torch.distributed.get_rank()
        replica = rank // max(1, self.config.tensor_model_parallel_size)
        server = ray.get_actor(_server_name(replica))
        await server.load.remote(ray.put(named), kwargs.get("global_steps"))


def _server_name(replica: int) -> str:
    return f"qoq_transformers_{replica}"


@ray.remote(num_cpus=0)
class TransformersServer:
    def __init__(self, path: str):
        import transformers
        from transformers import AutoConfig, AutoProcessor

        torch.set_num_threads(1)
        name = AutoConfig.from_pretrained(path).architectures[0]
        self.model = getattr(transformers, name).from_pretrained(path, dtype=torch.float32).eval()
        self.processor = AutoProcessor.from_pretrained(path)
        config = self.model.config
        self.media = [one for one in (config.image_token_id, config.video_token_id) if one is not None]
        self.steps = 0
        self.turn = asyncio.Lock()

    def _load(self, named, steps):
        missing, unexpected = self.model.load_state_dict(named, strict=False)
        if unexpected or any("lm_head" not in name for name in missing):
            raise ValueError(f"weights do not fit: {len(missing)} missing, {len(unexpected)} unexpected {unexpected[:3]} {missing[:3]}")
        self.steps = steps

    async def load(self, named, steps):
        async with self.turn:
            await asyncio.to_thread(self._load, named, steps)

    async def generate(self, request_id, prompt_ids, sampling_params, image_data=None, video_data=None, **_):
        async with self.turn:
            return await asyncio.to_thread(self._generate, prompt_ids, dict(sampling_params), image_data)

    @torch.no_grad()
    def _generate(self, prompt_ids, sampling, images):
        ids = torch.tensor([list(prompt_ids)])
        limit = sampling.get("max_tokens") or sampling.get("max_new_tokens")
        media = {}
        if images:
            media = dict(self.processor.image_processor(images=list(images), return_tensors="pt"))
            media["mm_token_type_ids"] = (ids == self.model.config.image_token_id).long()
        top_k = sampling.get("top_k", -1)
        out = self.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=sampling.get("temperature", 1.0) > 0,
            temperature=sampling.get("temperature", 1.0) or 1.0,
            top_p=sampling.get("top_p", 1.0),
            top_k=0 if top_k < 0 else top_k,
            max_new_tokens=limit,
            suppress_tokens=self.media,  # a place of a picture that is not there has no position
            return_dict_in_generate=True,
            output_logits=True,
            **media,
        )
        tokens = out.sequences[0, ids.size(1) :].tolist()
        temperature = sampling.get("temperature", 1.0) or 1.0
        logprobs = [float(torch.log_softmax(logits[0].float() / temperature, -1)[token]) for logits, token in zip(out.logits, tokens)]
        return TokenOutput(token_ids=tokens, log_probs=logprobs, stop_reason="completed", extra_fields={"global_steps": self.steps})

    async def idle(self, *_, **__):
        pass

    wake_up = sleep = abort_all_requests = resume_generation = clear_kv_cache = release_kv_cache = resume_kv_cache = idle
    start_profile = stop_profile = idle


class TransformersReplica(RolloutReplica):
    async def launch_servers(self):
        path = self.model_config["path"] if not hasattr(self.model_config, "path") else self.model_config.path
        server = TransformersServer.options(name=_server_name(self.replica_rank), max_concurrency=1000).remote(path)
        self.servers = [server]
        self._server_handle, self._server_address = server, f"transformers:{self.replica_rank}"


RolloutReplicaRegistry.register("transformers", lambda: TransformersReplica)
rollout_base._ROLLOUT_REGISTRY[("transformers", "async")] = f"{__name__}.TransformersRollout"
