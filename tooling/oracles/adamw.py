"""Writes packages/tensor/fixtures/adamw.json: AdamW and gradient clipping by PyTorch 2.13 in float64, seed 7.

python tooling/oracles/adamw.py
"""

import json
from pathlib import Path

import torch

SHAPES = {"layer.weight": [3, 5], "layer.bias": [7], "scale": []}
CASES = [
    {"name": "defaults", "betas": [0.9, 0.999], "epsilon": 1e-8, "weightDecay": 0.01, "decayVectors": True},
    {"name": "matrices decay only", "betas": [0.9, 0.95], "epsilon": 1e-5, "weightDecay": 0.1, "decayVectors": False},
    {"name": "clipped", "betas": [0.9, 0.999], "epsilon": 1e-8, "weightDecay": 0.01, "decayVectors": True, "maxNorm": 1.0},
]
LEARNING_RATES = [1e-3, 3e-3, 1e-2, 1e-2, 3e-3, 1e-4]


def float32_values(shape: list[int], scale: float = 1.0) -> torch.Tensor:
    """Random values that float32 holds exactly, as float64."""
    return (scale * torch.randn(shape)).float().double()


def flat(tensor: torch.Tensor) -> list[float]:
    return tensor.detach().reshape(-1).tolist()


def run(case: dict) -> dict:
    torch.manual_seed(7)
    parameters = {name: torch.nn.Parameter(float32_values(shape)) for name, shape in SHAPES.items()}
    initial = {name: flat(parameter) for name, parameter in parameters.items()}
    groups = [
        {"params": [p], "weight_decay": case["weightDecay"] if case["decayVectors"] or p.dim() > 1 else 0.0}
        for p in parameters.values()
    ]
    optimizer = torch.optim.AdamW(groups, betas=tuple(case["betas"]), eps=case["epsilon"])
    steps = []
    for learning_rate in LEARNING_RATES:
        for name, parameter in parameters.items():
            parameter.grad = float32_values(SHAPES[name], scale=0.5)
        gradients = {name: flat(parameter.grad) for name, parameter in parameters.items()}
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), case.get("maxNorm", float("inf"))).item()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        weights = {name: flat(parameter) for name, parameter in parameters.items()}
        steps.append({"learningRate": learning_rate, "gradients": gradients, "norm": norm, "weights": weights})
    moments = {
        key: {name: flat(optimizer.state[parameter][source]) for name, parameter in parameters.items()}
        for key, source in (("firstMoments", "exp_avg"), ("secondMoments", "exp_avg_sq"))
    }
    return {**case, "initial": initial, "steps": steps, **moments}


if __name__ == "__main__":
    path = Path(__file__).parents[2] / "packages/tensor/fixtures/adamw.json"
    content = {"torch": torch.__version__, "shapes": SHAPES, "cases": [run(case) for case in CASES]}
    path.write_text(json.dumps(content) + "\n")
