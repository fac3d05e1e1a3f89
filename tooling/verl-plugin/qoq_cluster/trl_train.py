"""Trains a model folder with TRL: `python -m torch.distributed.run ... -m qoq_cluster.trl_train job.json`."""

import json
import os
import sys

from . import calls, folders, lines
from .client import QoqError


def main(job_file: str) -> int:
    with open(job_file, encoding="utf8") as file:
        job = json.load(file)
    try:
        train(job, os.path.dirname(os.path.abspath(job_file)))
        return 0
    except QoqError as error:
        lines.error(error.code, error.message, error.hint)  # every process: the first that ends takes the others with it
        return 3


def train(job: dict, folder: str) -> None:
    """Runs a job: TRL's settings stand in it as TRL calls them."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, set_seed
    import transformers
    from trl import GRPOConfig

    from .drpo_trainer import DrpoTrainer

    calls.check(job["qoq"])  # a wrong key ends the job before a model is loaded
    set_seed(job["trl"]["seed"])
    torch.set_num_threads(job["threads"])
    out = job["folder"]
    base = folders.plain(job["model"], os.path.join(out, f"base-{os.environ.get('RANK', '0')}"))
    architecture = getattr(transformers, AutoConfig.from_pretrained(base).architectures[0])
    model = architecture.from_pretrained(base, dtype=torch.float32 if job["isCpu"] else torch.bfloat16)
    rows = read_rows(os.path.join(folder, "rows.jsonl"))
    has_pictures = any(row["images"] for row in rows)
    tokenizer = (
        transformers.AutoProcessor.from_pretrained(base)
        if has_pictures
        else AutoTokenizer.from_pretrained(base)
    )
    arguments = GRPOConfig(output_dir=out, report_to=[], logging_steps=1, use_cpu=job["isCpu"], **job["trl"])
    trainer = DrpoTrainer(
        model=model, args=arguments, train_dataset=data_set(rows, has_pictures, folder), processing_class=tokenizer, qoq=job["qoq"]
    )
    trainer.train()
    trainer.save_model(os.path.join(out, "trained"))
    if trainer.accelerator.is_main_process:
        lines.result(folders.overlay(job["model"], os.path.join(out, "trained"), os.path.join(out, "model")))
    trainer.accelerator.end_training()


def read_rows(file: str) -> list[dict]:
    with open(file, encoding="utf8") as text:
        return [json.loads(line) for line in text]


def data_set(rows: list[dict], has_pictures: bool, folder: str):
    """The rows as TRL takes them, pictures before the text; each is opened when it is asked for."""
    from datasets import Dataset, Image, List

    items = [
        {
            "prompt": [{**one, "content": one["content"].replace("<image>", "")} for one in row["prompt"]],
            "row": row["extra_info"]["index"],
            "domain": row["extra_info"]["group"],
            "truth": row["reward_model"]["ground_truth"],
            **({"images": [os.path.join(folder, file) for file in row["images"]]} if has_pictures else {}),
        }
        for row in rows
    ]
    data = Dataset.from_list(items)
    return data.cast_column("images", List(Image())) if has_pictures else data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
