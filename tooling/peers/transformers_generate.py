"""Tokens per second of transformers.generate, greedy, float32, on random weights of the given sizes.

    python transformers_generate.py '{"config": {...}, "batches": [1, 8], "promptTokens": 64, "newTokens": 128, "threads": 2, "rounds": 3}'

Prints [[batch, tokens per second], ...], the best of the rounds after one to warm up. Needs torch and transformers.
"""
import json
import sys
import time

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

task = json.loads(sys.argv[1])
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
model = Qwen2ForCausalLM(Qwen2Config(**task["config"])).eval()
model.generation_config.eos_token_id = None
model.generation_config.pad_token_id = 0
new = task["newTokens"]
results = []
for batch in task["batches"]:
    ids = torch.randint(3, model.config.vocab_size, (batch, task["promptTokens"]))
    best = float("inf")
    for round in range(task["rounds"] + 1):
        started = time.perf_counter()
        with torch.no_grad():
            out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                 max_new_tokens=new, min_new_tokens=new)
        if round > 0:
            best = min(best, time.perf_counter() - started)
    assert out.shape == (batch, task["promptTokens"] + new)
    results.append([batch, batch * new / best])
print(json.dumps(results))
