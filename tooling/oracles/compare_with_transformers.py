"""Loads what we wrote into transformers (and PEFT) and compares the logits with ours.

    qoq model logits DIR --inputs inputs.safetensors --out logits.safetensors
    python tooling/oracles/compare_with_transformers.py DIR inputs.safetensors logits.safetensors [DIR inputs logits ...]

DIR is a model folder, or a LoRA adapter whose base_model_name_or_path is a folder, if need be relative to DIR.
Needs torch, transformers and safetensors, for adapters also peft. Exits with 1 when a logit differs by 1e-4 or more, or a
weight is missing. ECGs are left out: no class of transformers takes them. `packages/model/test/transformers.test.ts` runs
this on every format that we write, where Python has torch.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, Qwen2_5_VLForConditionalGeneration

TOLERANCE = 1e-4


def load(folder):
    """The model in float32, with every weight from the files."""
    config = AutoConfig.from_pretrained(folder)
    kind = Qwen2_5_VLForConditionalGeneration if config.model_type == "qwen2_5_vl" else AutoModelForCausalLM
    model, report = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if report["missing_keys"]:
        sys.exit(f"{folder}: transformers misses weights: {sorted(report['missing_keys'])[:5]}")
    return model


def load_adapted(folder):
    from peft import PeftModel

    base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    return PeftModel.from_pretrained(load(folder / base), folder)


def largest_difference(model, inputs, ours):
    integers = (torch.int32, torch.int64)
    arguments = {name: tensor.long() if tensor.dtype in integers else tensor for name, tensor in inputs.items()}
    ids = arguments["input_ids"]
    if model.config.model_type == "qwen2_5_vl":
        types = torch.zeros_like(ids)
        types[ids == model.config.image_token_id] = 1
        types[ids == model.config.video_token_id] = 2
        arguments["mm_token_type_ids"] = types
        arguments["position_ids"] = ours["position_ids"].long()
    with torch.no_grad():
        theirs = model.eval()(**arguments).logits
    mask = arguments.get("attention_mask", torch.ones_like(ids))
    return ((theirs - ours["logits"]).abs() * mask.unsqueeze(-1)).max().item()


failed = False
for at in range(1, len(sys.argv), 3):
    folder = Path(sys.argv[at])
    inputs, ours = load_file(sys.argv[at + 1]), load_file(sys.argv[at + 2])
    if "ecg" in inputs:
        sys.exit("The inputs hold ECGs, which transformers cannot take.")
    model = load_adapted(folder) if (folder / "adapter_config.json").exists() else load(folder)
    difference = largest_difference(model, inputs, ours)
    print(f"{folder.name}: largest difference of the logits: {difference:.2e}")
    failed |= not difference < TOLERANCE
sys.exit(failed)
