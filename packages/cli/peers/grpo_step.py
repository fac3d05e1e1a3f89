"""A step of TRL's GRPOTrainer: sample groups, score them under the frozen reference, one update of the clipped objective.

options: threads, decoder, questions, groupSize, promptTokens, newTokens; with pictures: pictures (edge in pixels, tower,
mropeSection)
"""

import tempfile
import threading

from decoder import decoder_config, random_decoder, token_at
from peer import serve


def prepare(options):
    import torch
    from trl import GRPOConfig, GRPOTrainer
    from transformers import TrainerCallback

    torch.set_num_threads(options["threads"])
    count, group, new_tokens = options["questions"], options["groupSize"], options["newTokens"]
    temporary = tempfile.TemporaryDirectory(prefix="qoq-bench-trl-")  # removed with the process
    folder = temporary.name
    media = MEDIA_TOKENS if "pictures" in options else []
    tokenizer, processor = write_model(options, media, folder)
    placeholders = {"suppress_tokens": tokenizer.convert_tokens_to_ids(media)} if media else {}
    gates = Gates()

    class Turn(TrainerCallback):
        """Waits before each step until it is asked for, and says when it is done."""

        def on_step_begin(self, *_args, **_kwargs):
            gates.wait_for_turn()

        def on_step_end(self, *_args, **_kwargs):
            gates.done.set()

    trainer = GRPOTrainer(
        model=folder,
        processing_class=processor,
        reward_funcs=lambda completions, **_kwargs: [len(set(str(text))) / 100 for text in completions],
        train_dataset=questions(options, media, tokenizer),
        args=GRPOConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            per_device_train_batch_size=count * group,
            gradient_accumulation_steps=1,
            num_generations=group,
            max_completion_length=new_tokens,
            # An answer of random weights must not hold placeholders of pictures.
            generation_kwargs={"min_new_tokens": new_tokens, **placeholders},
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


MEDIA_TOKENS = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]


def write_model(options, media, folder):
    """A model folder with random weights; returns a tokenizer whose tokens are words, and what makes inputs with it."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    sizes = options["decoder"]
    words = [word(i) for i in range(sizes["vocabSize"] - len(media))] + media
    vocabulary = {text: i for i, text in enumerate(words)}
    split = Tokenizer(models.WordLevel(vocabulary, unk_token=word(2)))
    split.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=split, pad_token=word(0), eos_token=word(1), additional_special_tokens=media
    )
    tokenizer.padding_side = "left"
    if media:
        model, processor = random_vision_model(options, vocabulary, tokenizer)
    else:
        model, processor = random_decoder(sizes), tokenizer
    text_config = model.config.get_text_config()
    text_config.eos_token_id, model.config.eos_token_id = 1, 1
    model.save_pretrained(folder)
    return tokenizer, processor


def random_vision_model(options, ids, tokenizer):
    """Qwen2.5-VL of a row's sizes with random weights, and its processor."""
    import torch
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessorPil,
    )

    class PictureProcessor(Qwen2_5_VLProcessor):
        """Without a processor of videos, which would need torchvision."""

        def check_argument_for_proper_class(self, *_args):
            return None

    sizes, pictures = options["decoder"], options["pictures"]
    tower, pixels = pictures["tower"], pictures["edge"] ** 2
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(
            text_config={
                **decoder_config(sizes),
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 10_000.0,
                    "mrope_section": pictures["mropeSection"],
                },
            },
            vision_config={
                "depth": tower["depth"],
                "hidden_size": tower["hiddenSize"],
                "intermediate_size": tower["intermediateSize"],
                "num_heads": tower["numHeads"],
                "out_hidden_size": sizes["hiddenSize"],
                "fullatt_block_indexes": tower["fullattBlockIndexes"],
            },
            tie_word_embeddings=True,
            vision_start_token_id=ids[MEDIA_TOKENS[0]],
            vision_end_token_id=ids[MEDIA_TOKENS[1]],
            image_token_id=ids[MEDIA_TOKENS[2]],
            video_token_id=ids[MEDIA_TOKENS[3]],
        )
    )
    template = (
        "{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
        "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    )
    images = Qwen2VLImageProcessorPil(min_pixels=pixels, max_pixels=pixels)
    return model, PictureProcessor(images, tokenizer, None, chat_template=template)


def questions(options, media, tokenizer):
    """Prompts of exactly the wanted number of text tokens, with a picture where the row has pictures."""
    from datasets import Dataset

    length, vocab = options["promptTokens"], options["decoder"]["vocabSize"] - len(media)
    texts = [" ".join(word(token_at(i, at, vocab)) for at in range(length)) for i in range(options["questions"])]
    assert all(len(ids) == length for ids in tokenizer(texts)["input_ids"])
    if not media:
        return Dataset.from_dict({"prompt": texts})
    content = [[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}] for text in texts]
    return Dataset.from_dict({"prompt": content, "image": [picture(i, options["pictures"]["edge"]) for i in range(len(texts))]})


def picture(i, edge):
    """Noise, the same for the same number."""
    import numpy
    from PIL import Image

    return Image.fromarray(numpy.random.default_rng(i).integers(0, 256, (edge, edge, 3), dtype=numpy.uint8))


def word(token):
    """Of one length, so that no word begins with a special one."""
    return f"w{token:06}"


serve(prepare, packages=["torch", "transformers", "trl"])
