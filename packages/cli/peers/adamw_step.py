"""torch.optim.AdamW(fused=True) over one parameter.

options: threads, parameters
"""

from peer import serve


def prepare(options):
    import torch

    torch.set_num_threads(options["threads"])
    parameter = torch.nn.Parameter(torch.full((options["parameters"],), 0.1))
    parameter.grad = torch.full_like(parameter, 1e-3)
    optimizer = torch.optim.AdamW([parameter], lr=1e-6, weight_decay=0.01, fused=True)
    return lambda: optimizer.step() and None


serve(prepare, packages=["torch"])
