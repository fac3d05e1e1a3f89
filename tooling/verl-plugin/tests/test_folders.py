"""Weights that an engine trained, in a copy of the folder that it began with."""

import json

import pytest
from qoq_cluster import client, folders

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402 - after the skip


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["TimeSeriesQwen2_5_VLForConditionalGeneration"], "x": 1}))
    (folder / "tokenizer.json").write_text("{}")
    save_file({"a": torch.zeros(2, dtype=torch.bfloat16), "ecg": torch.ones(2)}, folder / "model-1.safetensors", {"format": "pt"})
    save_file({"b": torch.zeros(3)}, folder / "model-2.safetensors", {"format": "pt"})
    return folder


def test_the_plain_view_names_the_plain_architecture_and_copies_nothing(base, tmp_path):
    view = folders.plain(str(base), str(tmp_path / "view"))
    assert json.loads((tmp_path / "view" / "config.json").read_text())["architectures"] == ["Qwen2_5_VLForConditionalGeneration"]
    assert (tmp_path / "view" / "model-1.safetensors").is_symlink()
    assert folders.plain(str(base), view) == view  # again, as a second process of the job does


def test_trained_weights_take_the_place_and_the_type_of_their_own(base, tmp_path):
    trained = tmp_path / "trained"
    trained.mkdir()
    save_file({"a": torch.full((2,), 0.5), "b": torch.full((3,), 2.0), "lm_head.weight": torch.zeros(1)}, trained / "model.safetensors")
    target = tmp_path / "out"
    folders.overlay(str(base), str(trained), str(target))
    first, second = load_file(target / "model-1.safetensors"), load_file(target / "model-2.safetensors")
    assert first["a"].dtype == torch.bfloat16 and first["a"].tolist() == [0.5, 0.5]
    assert first["ecg"].tolist() == [1, 1]  # what the engine does not know stays
    assert second["b"].tolist() == [2, 2, 2]
    assert json.loads((target / "config.json").read_text())["architectures"] == ["TimeSeriesQwen2_5_VLForConditionalGeneration"]


@pytest.mark.parametrize("names", [["c"], ["a", "c"]])
def test_weights_of_other_names_are_refused(base, tmp_path, names):
    trained = tmp_path / "trained"
    trained.mkdir()
    save_file({name: torch.zeros(2) for name in names}, trained / "model.safetensors")
    with pytest.raises(client.QoqError, match="which? the model folder has not|such as c"):
        folders.overlay(str(base), str(trained), str(tmp_path / "out"))
