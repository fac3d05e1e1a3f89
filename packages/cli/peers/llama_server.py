"""llama.cpp's own server (in this process, by xllamacpp) on a GGUF file, asked by clients all at once for greedy tokens.

options: threads, gguf, clients, newTokens
"""

import http.client
import json
import math
import threading
import time
from urllib.parse import urlparse

from peer import serve

WORDS = ["lung", "heart", "rhythm", "effusion", "nodule", "fracture", "normal", "left", "right", "lead"]


def question(client, number):
    """That of ours: others in every round."""
    words = [WORDS[(client * 7 + at * 3 + client * at % 11) % 10] for at in range(40)]
    return " ".join([f"round {number}", *words])


def prepare(options):
    import xllamacpp

    clients, new_tokens, threads = options["clients"], options["newTokens"], options["threads"]
    params = xllamacpp.CommonParams()
    params.model.path = options["gguf"]
    params.n_parallel = clients
    params.n_ctx = 512 * clients
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0
    params.port = 0
    server = xllamacpp.Server(params)
    rounds = 0

    def ask(text, seen):
        began = time.perf_counter()
        address = urlparse(server.listening_address)  # which also keeps the server alive
        connection = http.client.HTTPConnection(address.hostname, address.port)
        body = {
            "messages": [{"role": "user", "content": text}],
            "max_tokens": new_tokens,
            "temperature": 0,
            "ignore_eos": True,
            "cache_prompt": False,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"the server answered with {response.status}: {response.read(300)}")
        first, tokens = None, 0
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            chunk = json.loads(line[6:])
            tokens = (chunk.get("usage") or {}).get("completion_tokens", tokens)
            if first is None and any(choice["delta"].get("content") for choice in chunk["choices"]):
                first = time.perf_counter() - began
        seen.append((first, tokens))

    def work():
        nonlocal rounds
        seen = []
        threads_ = [threading.Thread(target=ask, args=(question(i, rounds), seen)) for i in range(clients)]
        rounds += 1
        began = time.perf_counter()
        for one in threads_:
            one.start()
        for one in threads_:
            one.join()
        seconds = time.perf_counter() - began
        tokens = sum(count for _, count in seen)
        if tokens != clients * new_tokens:
            raise RuntimeError(f"{tokens} tokens came, not {clients * new_tokens}")
        firsts = sorted(first for first, _ in seen)
        return {"units": tokens, "seconds": seconds, "value": firsts[math.ceil(0.95 * len(firsts)) - 1]}

    return work


serve(prepare, packages=["xllamacpp"])
