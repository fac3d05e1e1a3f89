"""The peer of adamw.bench.ts: torch.optim.AdamW(fused=True) and clip_grad_norm_ without clipping.

python packages/tensor/bench/adamw_torch.py [elements]
"""

import sys
import time

import torch

size = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
parameter = torch.nn.Parameter(torch.full((size,), 0.1))
parameter.grad = torch.full((size,), 1e-3)
optimizer = torch.optim.AdamW([parameter], lr=1e-6, fused=True)
for threads in (1, 2):
    torch.set_num_threads(threads)
    for name, run in (
        ("AdamW fused", optimizer.step),
        ("gradient norm", lambda: torch.nn.utils.clip_grad_norm_([parameter], 1e9)),
    ):
        times = []
        for _ in range(10):
            started = time.perf_counter()
            run()
            times.append((time.perf_counter() - started) * 1e3)
        print(f"{size} {name}, {threads} threads: min {min(times):.2f} ms, {min(times) / size * 1e6:.3f} ns/parameter")
