"""PyTorch's training step: forward, backward and fused AdamW of the clipped objective with a KL penalty.

options: threads, device, decoder, batch, length, compile (whether torch.compile makes the forward and backward pass)
"""

from decoder import random_decoder, token_at
from peer import await_device, serve, torch_device


def prepare(options):
    import torch

    torch.set_num_threads(options["threads"])
    batch, length, vocab = options["batch"], options["length"], options["decoder"]["vocabSize"]
    device = torch_device(options)
    model = random_decoder(options["decoder"]).to(device).train()
    tokens = torch.tensor([[token_at(i, at, vocab) for at in range(length)] for i in range(batch)], device=device)
    expected = torch.full((batch, length - 1), -torch.log(torch.tensor(float(vocab))).item(), device=device)
    advantages = torch.tensor([1.0 if i % 2 == 0 else -1.0 for i in range(batch)], device=device)[:, None]

    def loss_of():
        logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
        logprobs = torch.log_softmax(logits, -1).gather(-1, tokens[:, 1:, None]).squeeze(-1)
        ratio = torch.exp(logprobs - expected)
        gain = torch.minimum(ratio * advantages, torch.clamp(ratio, 0.8, 1.2) * advantages)
        delta = expected - logprobs
        return -(gain - 0.04 * (torch.exp(delta) - delta - 1)).mean()

    compute = torch.compile(loss_of) if options["compile"] else loss_of
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.01, fused=True)

    def step():
        loss = compute()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        await_device(device)

    return step


serve(prepare, packages=["torch", "transformers"])
