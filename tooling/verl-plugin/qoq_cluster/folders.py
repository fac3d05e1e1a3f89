"""Model folders of ours: what an engine trained goes into a copy of the folder that it began with."""

import glob
import json
import os
import shutil

from .client import QoqError


def plain(base: str, target: str) -> str:
    """Makes `target` a view of the folder `base` that transformers opens as the plain architecture, without an ECG tower."""
    os.makedirs(target, exist_ok=True)
    for file in os.listdir(base):
        place = os.path.join(target, file)
        if file != "config.json" and not os.path.lexists(place):
            os.symlink(os.path.abspath(os.path.join(base, file)), place)
    with open(os.path.join(base, "config.json"), encoding="utf8") as file:
        config = json.load(file)
    config["architectures"] = [name.removeprefix("TimeSeries") for name in config["architectures"]]
    config.setdefault("auto_map", {})  # TRL 1.16 reads it
    with open(os.path.join(target, "config.json"), "w", encoding="utf8") as file:
        json.dump(config, file)
    return target


def overlay(base: str, trained: str, target: str) -> str:
    """Writes `target`: the folder `base` with the weights of `trained` in place of its own, shard by shard.

    Names, types, files and what the engine does not know (an ECG tower, the tokenizer) stay as they were.
    """
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    new = {}
    for file in sorted(glob.glob(os.path.join(trained, "*.safetensors"))):
        new.update(load_file(file))
    os.makedirs(target, exist_ok=True)
    used = set()
    for file in sorted(os.listdir(base)):
        source, place = os.path.join(base, file), os.path.join(target, file)
        if not file.endswith(".safetensors"):
            if os.path.isfile(source):
                shutil.copyfile(source, place)
            continue
        with safe_open(source, "pt") as old:
            metadata, names = old.metadata(), list(old.keys())
            tensors = {name: (new[name].to(old.get_tensor(name).dtype) if name in new else old.get_tensor(name)) for name in names}
        used |= set(names) & set(new)
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, place, metadata)
    # A head that is tied to the embeddings is written by some versions and read by none.
    lost = sorted(set(new) - used - {"lm_head.weight"})
    if lost or not used:
        raise QoqError(
            "QOQ_NAMES", f"The engine wrote {len(lost)} weights that the model folder has not, such as {(lost or [chr(45)])[0]}.", "Use a supported version of transformers."
        )
    return target
