"""llama.cpp with a model of the shapes of ours in Q4_0: a prompt, or tokens of several answers at once.

options: threads, large (a folder with q4_0.gguf), work ("prefill" or "decode"), batch, promptTokens, newTokens
"""

import os
import time

from decoder import token_at
from peer import serve


def prepare(options):
    import llama_cpp as llama

    path = os.path.join(options["large"], "q4_0.gguf")
    if not os.path.exists(path):
        raise ImportError(f"{path} is not there")
    batch, length = options.get("batch", 1), options["promptTokens"]
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    settings = llama.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = 2048, 512, 512
    settings.n_threads = settings.n_threads_batch = options["threads"]
    settings.n_seq_max, settings.kv_unified = batch, True
    context = llama.llama_init_from_model(model, settings)
    memory = llama.llama_get_memory(context)

    def run(tokens):
        """tokens: (token, position, sequence, whether its logits are wanted)"""
        part = llama.llama_batch_init(len(tokens), 0, 1)
        part.n_tokens = len(tokens)
        for i, (token, position, sequence, is_wanted) in enumerate(tokens):
            part.token[i], part.pos[i], part.n_seq_id[i], part.logits[i] = token, position, 1, int(is_wanted)
            part.seq_id[i][0] = sequence
        assert llama.llama_decode(context, part) == 0
        llama.llama_batch_free(part)

    def read(sequence):
        prompt = [(token_at(0, at, 2003), at, sequence, at == length - 1) for at in range(length)]
        for start in range(0, length, 512):
            run(prompt[start : start + 512])

    def work():
        llama.llama_memory_clear(memory, True)
        if options["work"] == "prefill":
            read(0)
            return {"units": length}
        for sequence in range(batch):
            read(sequence)
        steps = options["newTokens"] - 1
        began = time.perf_counter()
        for step in range(steps):
            run([(5 + sequence, length + step, sequence, True) for sequence in range(batch)])
        return {"units": steps * batch, "seconds": time.perf_counter() - began}

    return work


serve(prepare, packages=["llama-cpp-python"])
