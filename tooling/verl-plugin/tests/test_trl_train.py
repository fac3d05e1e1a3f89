"""How a job of TRL ends."""

import json

import pytest
from qoq_cluster import trl_train
from qoq_cluster.client import QoqError


@pytest.mark.parametrize("rank", ["0", "1"])
def test_every_process_says_why_the_job_ends_for_the_first_takes_the_others_with_it(rank, tmp_path, monkeypatch, capsys):
    def away(job, folder):
        raise QoqError("QOQ_SERVER_AWAY", "It was away.", "Start it.")

    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr(trl_train, "train", away)
    file = tmp_path / "job.json"
    file.write_text("{}")
    assert trl_train.main(str(file)) == 3
    assert json.loads(capsys.readouterr().out.removeprefix("QOQ_ERROR ")) == {
        "code": "QOQ_SERVER_AWAY",
        "message": "It was away.",
        "hint": "Start it.",
    }
