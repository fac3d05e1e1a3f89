"""What OpenAI's own Python client gets from a server: one JSON object with the result of every call.

    python openai_client.py http://127.0.0.1:8080/v1 MODEL PICTURE
"""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Literal

import openai
from pydantic import BaseModel

base_url, model, picture = sys.argv[1:]
messages = [{"role": "user", "content": "Which rhythm?"}]


class Box(BaseModel):
    x: int
    y: int


class Finding(BaseModel):
    label: Literal["A", "B"]
    boxes: list[Box]


client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)


def chat():
    answer = client.chat.completions.create(model=model, messages=messages, n=2, logprobs=True, top_logprobs=1)
    return {
        "texts": [choice.message.content for choice in answer.choices],
        "tokens": [entry.token for entry in answer.choices[1].logprobs.content],
        "top": [len(entry.top_logprobs) for entry in answer.choices[0].logprobs.content],
        "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
    }


def stream():
    """The chunks as the client's own helper joins them."""
    with client.chat.completions.stream(
        model=model, messages=messages, stream_options={"include_usage": True}
    ) as events:
        deltas = [event.delta for event in events if event.type == "content.delta" and event.delta]
        final = events.get_final_completion()
    return {"deltas": deltas, "text": final.choices[0].message.content, "total": final.usage.total_tokens}


async def stream_at_once():
    """Eight streams of the asynchronous client at the same time."""
    async with openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as other:

        async def one():
            chunks = await other.chat.completions.create(model=model, messages=messages, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

        return await asyncio.gather(*[one() for _ in range(8)])


def pictures():
    url = "data:image/png;base64," + base64.b64encode(Path(picture).read_bytes()).decode()
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "Which?"}]
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
    return answer.choices[0].message.content


def schema():
    """A class of the program's own, by way of its schema, whose boxes are a definition."""
    answer = client.chat.completions.parse(model=model, messages=messages, response_format=Finding)
    return answer.choices[0].message.parsed.model_dump()


def models():
    return [[one.id for one in client.models.list()], client.models.retrieve(model).id]


def errors():
    found = []
    for change in ({"model": "gpt-5"}, {"messages": []}, {"presence_penalty": 1}):
        try:
            client.chat.completions.create(**{"model": model, "messages": messages, **change})
        except openai.APIStatusError as error:
            found.append([type(error).__name__, error.status_code, error.code])
    return found


def given_up():
    """Leaves a stream after its first chunk."""
    with client.chat.completions.create(model=model, messages=messages, stream=True) as chunks:
        return next(iter(chunks)).object


results = {call.__name__: call() for call in (chat, stream, pictures, schema, models, errors, given_up)}
results["stream_at_once"] = asyncio.run(stream_at_once())
print(json.dumps({"version": openai.__version__, **results}))
