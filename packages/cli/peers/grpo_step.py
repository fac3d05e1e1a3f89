"""A step of TRL's GRPOTrainer: sample groups, score them under the frozen reference, one update of the clipped objective.

options: threads, decoder, questions, groupSize, promptTokens, newTokens
"""

import tempfile
import threading

from decoder import random_decoder, token_at
from peer import serve


def prepare(options):
    import torch
    from trl import GRPOConfig, GRPOTrainer
    from transformers import TrainerCallback

    torch.set_num_threads(options["threads"])
    questions, group, new_tokens = options["questions"], options["groupSize"], options["newTokens"]
    temporary = tempfile.TemporaryDirectory(prefix="qoq-bench-trl-")  # removed with the process
    folder = temporary.name
    write_model(options["decoder"], folder)
    gates = Gates()

    class Turn(TrainerCallback):
        """Waits before each step until it is asked for, and says when it is done."""

        def on_step_begin(self, *_args, **_kwargs):
            gates.wait_for_turn()

        def on_step_end(self, *_args, **_kwargs):
            gates.done.set()

    trainer = GRPOTrainer(
        model=folder,
        reward_funcs=lambda completions, **_kwargs: [len(set(text)) / 100 for text in completions],
        train_dataset=prompts(options),
        args=GRPOConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            per_device_train_batch_size=questions * group,
            gradient_accumulation_steps=1,
            num_generations=group,
            max_completion_length=new_tokens,
            generation_kwargs={"min_new_tokens": new_tokens},
            temperature=1.0,
            beta=0.04,
            learning_rate=1e-6,
            optim="adamw_torch_fused",
            max_steps=1_000_000,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        callbacks=[Turn()],
    )
    seconds = {}
    time_calls(trainer, "_generate", "rollout", seconds)
    time_calls(trainer, "_generate_and_score_completions", "rolloutAndScore", seconds)

    def train():
        torch.set_num_threads(options["threads"])
        try:
            trainer.train()
        except BaseException as error:
            gates.fail(error)

    threading.Thread(target=train, daemon=True).start()

    def step():
        assert temporary
        seconds.clear()
        gates.run_one()
        return {"parts": dict(seconds)}

    return step


class Gates:
    """Lets the trainer's thread make one step at a time; a step ends where the next one waits."""

    def __init__(self):
        self.turn, self.done, self.error = threading.Event(), threading.Event(), None

    def wait_for_turn(self):
        self.turn.wait()
        self.turn.clear()

    def run_one(self):
        self.turn.set()
        self.done.wait()
        self.done.clear()
        if self.error is not None:
            raise self.error

    def fail(self, error):
        self.error = error
        self.done.set()


def time_calls(owner, name, part, seconds):
    """Adds the seconds of a method to a part, where this version of TRL has that method."""
    import time

    method = getattr(owner, name, None)
    if method is None:
        return

    def timed(*args, **kwargs):
        began = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            seconds[part] = seconds.get(part, 0) + time.perf_counter() - began

    setattr(owner, name, timed)


def write_model(sizes, folder):
    """A model folder with random weights and a tokenizer whose tokens are words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word(i): i for i in range(sizes["vocabSize"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=word(2)))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=word(0), eos_token=word(1)).save_pretrained(folder)
    model = random_decoder(sizes)
    model.config.eos_token_id = 1
    model.save_pretrained(folder)


def prompts(options):
    from datasets import Dataset

    length, vocab = options["promptTokens"], options["decoder"]["vocabSize"]
    texts = [" ".join(word(token_at(i, at, vocab)) for at in range(length)) for i in range(options["questions"])]
    return Dataset.from_dict({"prompt": texts})


def word(token):
    return f"w{token}"


serve(prepare, packages=["torch", "transformers", "trl"])
