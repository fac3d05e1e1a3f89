"""The paper's reward of a training step's responses as a Python trainer computes it: regular expressions, json, and NumPy
over the pixels of the masks.

options: questions, groupSize, characters, maskSide
"""

import json
import random
import re

from peer import serve

LABELS = ["Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Mass", "Nodule", "Pneumonia"]
SENTENCE = "The costophrenic angle [left] is blunted, and the silhouette (0.62) is enlarged. "


def response(characters, draw):
    chosen = [label for label in LABELS if draw.random() < 0.3]
    entries = []
    for label in chosen:
        x, y = draw.randrange(400), draw.randrange(400)
        entries.append({"bbox_2d": [x, y, x + 10 + draw.randrange(100), y + 10 + draw.randrange(100)], "label": label})
    tail = "</think>\n```json\n" + json.dumps(entries) + "\n```\n\\boxed{" + ", ".join(chosen) + "}"
    return "<think>" + (SENTENCE * 99)[: max(0, characters - len(tail) - 7)] + tail


def prepare(options):
    import numpy as np

    draw = random.Random(7)
    side, size = options["maskSide"], options["groupSize"]
    rows, columns = np.mgrid[0:side, 0:side]

    def ellipse():
        cx, cy = (side * (0.25 + 0.5 * draw.random()) for _ in range(2))
        rx, ry = (side * (0.04 + 0.2 * draw.random()) for _ in range(2))
        return ((columns - cx) / rx) ** 2 + ((rows - cy) / ry) ** 2 < 1

    masks = [ellipse() for _ in range(options["questions"])]
    responses = [response(options["characters"], draw) for _ in range(options["questions"] * size)]
    fence, boxed = re.compile(r"```json\s*(.*?)\s*```", re.S), re.compile(r"\\boxed\{([^{}]*)\}")

    def reward(text, truth, mask):
        outside = text.split("</think>")[-1]
        found = boxed.findall(outside)
        labels = {label.strip().lower() for label in re.split(r",|;|&|\band\b", found[-1])} - {""} if found else set()
        block = fence.search(outside)
        entries = json.loads(block.group(1)) if block else []
        shared = len(labels & truth)
        accuracy = 2 * shared / (len(labels) + len(truth)) if labels or truth else 1.0
        best = 0.0
        for entry in entries:
            x1, y1, x2, y2 = entry["bbox_2d"]
            box = np.zeros(mask.shape, bool)
            box[y1:y2, x1:x2] = True
            best = max(best, np.logical_and(box, mask).sum() / np.logical_or(box, mask).sum())
        names = {entry["label"].lower() for entry in entries}
        return 0.6 * accuracy + 0.2 * best + 0.2 * float(bool(labels) and labels <= names)

    def work():
        for i, text in enumerate(responses):
            question = i // size
            truth = {label.lower() for j, label in enumerate(LABELS) if (question + j) % 4 == 0}
            reward(text, truth, masks[question])

    return work


serve(prepare, packages=["numpy"])
