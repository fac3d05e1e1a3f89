"""A training step in PyTorch: the peer of packages/trainer/bench/train-step.bench.ts, which starts it.

python tooling/peers/train_step.py tiny|smollm2 eager|compile

Makes a step (forward, clipped policy loss, backward, clipping, fused AdamW; float32, 2 threads) for every line on standard
input and answers {"ms": ..., "loss": ...}; at the end of the input {"peakMb": ...}, the largest resident memory.
"""

import json
import re
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

torch.set_num_threads(2)
torch.manual_seed(0)
shape, mode = sys.argv[1:3]
if shape == "tiny":
    batch, length = 32, 128
    model = Qwen2ForCausalLM(
        Qwen2Config(
            hidden_size=256,
            num_hidden_layers=6,
            num_attention_heads=8,
            num_key_value_heads=4,
            intermediate_size=768,
            vocab_size=2048,
            tie_word_embeddings=True,
            rms_norm_eps=1e-6,
            max_position_embeddings=2048,
        )
    )
else:
    batch, length = 4, 256
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=576,
            num_hidden_layers=30,
            num_attention_heads=9,
            num_key_value_heads=3,
            intermediate_size=1536,
            vocab_size=49152,
            tie_word_embeddings=True,
            rms_norm_eps=1e-5,
            max_position_embeddings=8192,
            rope_theta=100000.0,
        )
    )
model.train()
if mode == "compile":
    model.compile()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.01, fused=True)
tokens = torch.randint(0, model.config.vocab_size, (batch, length + 1))
advantages = torch.randn(batch, 1)


def logprobs():
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.log_softmax(logits, -1).gather(-1, tokens[:, 1:, None]).squeeze(-1)


def loss_of(policy, old, ref):
    ratio = torch.exp(policy - old)
    surrogate = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    delta = ref - policy
    return -(surrogate - 0.04 * (torch.exp(delta) - delta - 1)).mean()


with torch.no_grad():
    start = logprobs()
old, ref = start + 0.15 * torch.randn_like(start), start + 0.3 * torch.randn_like(start)
del start


def step():
    started = time.perf_counter()
    loss = loss_of(logprobs(), old, ref)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {"ms": (time.perf_counter() - started) * 1e3, "loss": loss.item()}


print("ready", flush=True)
for _ in sys.stdin:
    print(json.dumps(step()), flush=True)
with open("/proc/self/status") as status:
    print(json.dumps({"peakMb": int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024}), flush=True)
