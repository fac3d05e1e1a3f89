"""What every peer of `qoq bench` shares: serve(prepare) speaks with the benchmark. See README.md beside it."""

import importlib.metadata
import json
import os
import sys
import time


def serve(prepare, packages=()):
    """Prepares the work and does one round for every line of standard input.

    prepare(options) gets the row's options and returns a function that does the work once; the function may return a
    dict with "units", "value", "parts", or its own "seconds". packages: distributions whose versions are told.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error

    def say(line):
        answers.write(json.dumps(line) + "\n")

    try:
        work = prepare(json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}"))
        versions = {name: importlib.metadata.version(name) for name in packages}
    except ImportError as error:
        say({"type": "unavailable", "reason": str(error)})
        return
    say({"type": "ready", "versions": {"python": sys.version.split()[0], **versions}})
    for _ in sys.stdin:
        began = time.perf_counter()
        facts = work() or {}
        seconds = time.perf_counter() - began
        say({"type": "round", "seconds": seconds, **facts, "peakRssBytes": peak_rss_bytes()})


def torch_device(options):
    """The device of PyTorch that a row asks for, "cpu" or "cuda"."""
    return "cuda" if options.get("device") == "cuda" else "cpu"


def await_device(device):
    """Waits until the device has computed what it was asked for."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()


def peak_rss_bytes():
    """The largest resident memory of this process so far."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource  # not on Windows

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
