"""generate of transformers: different prompts in one batch, each answered by a fixed number of greedy tokens.

options: threads, device, decoder (sizes of random weights), batch, promptTokens, newTokens
"""

from decoder import random_decoder, token_at
from peer import await_device, serve, torch_device


def prepare(options):
    import torch

    torch.set_num_threads(options["threads"])
    batch, length, new_tokens = options["batch"], options["promptTokens"], options["newTokens"]
    device = torch_device(options)
    model = random_decoder(options["decoder"]).to(device).eval()
    vocab = model.config.vocab_size
    prompts = torch.tensor([[token_at(i, at, vocab) for at in range(length)] for i in range(batch)], device=device)
    mask = torch.ones_like(prompts)

    def answer():
        with torch.inference_mode():
            answers = model.generate(
                input_ids=prompts,
                attention_mask=mask,
                do_sample=False,
                max_new_tokens=new_tokens,
                min_new_tokens=new_tokens,
            )
        await_device(device)
        assert answers.shape == (batch, length + new_tokens)
        return {"units": batch * new_tokens}

    return answer


serve(prepare, packages=["torch", "transformers"])
