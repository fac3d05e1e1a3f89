"""Loads a model folder that we wrote into transformers and compares its logits with ours.

    qoq model logits DIR --inputs inputs.safetensors --out logits.safetensors --mrope-rule hf5
    python tooling/oracles/compare_with_transformers.py DIR inputs.safetensors logits.safetensors

Needs torch, transformers and safetensors. Exits with 1 when a logit differs by 1e-4 or more, or a position differs.
ECGs are left out: no class of transformers takes them.
"""
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration, AutoModelForCausalLM

folder, inputs_file, outputs_file = sys.argv[1:4]
inputs, ours = load_file(inputs_file), load_file(outputs_file)
if "ecg" in inputs:
    sys.exit("The inputs hold ECGs, which transformers cannot take.")
config = AutoConfig.from_pretrained(folder)
kind = Qwen2_5_VLForConditionalGeneration if config.model_type == "qwen2_5_vl" else AutoModelForCausalLM
model, report = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
if report["missing_keys"]:
    sys.exit(f"transformers misses weights: {sorted(report['missing_keys'])[:5]}")

arguments = {name: tensor.long() if tensor.dtype in (torch.int32, torch.int64) else tensor for name, tensor in inputs.items()}
mask = arguments.get("attention_mask", torch.ones_like(arguments["input_ids"]))
if config.model_type == "qwen2_5_vl":
    types = torch.zeros_like(arguments["input_ids"])
    types[arguments["input_ids"] == config.image_token_id] = 1
    types[arguments["input_ids"] == config.video_token_id] = 2
    arguments["mm_token_type_ids"] = types
    arguments["position_ids"] = ours["position_ids"].long()
with torch.no_grad():
    theirs = model.eval()(**arguments).logits
difference = ((theirs - ours["logits"]).abs() * mask.unsqueeze(-1)).max().item()
print(f"largest difference of the logits: {difference:.2e}")
sys.exit(difference >= 1e-4)
