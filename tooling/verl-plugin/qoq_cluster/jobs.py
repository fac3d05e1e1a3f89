"""The file that says what a job is: job.json of its working directory, which every process of the job sees."""

import functools
import json
import os


@functools.cache
def job() -> dict:
    with open(os.environ.get("QOQ_JOB", "job.json"), encoding="utf8") as file:
        return json.load(file)


def settings() -> dict:
    """What the server is asked with."""
    return job()["qoq"]
