"""Trains a model folder with verl: `python -m qoq_cluster.verl_train job.json`, as a job of Ray."""

import glob
import os
import sys

from . import calls, folders, jobs, lines
from .client import QoqError


def main(job_file: str) -> int:
    os.environ["QOQ_JOB"] = job_file
    try:
        train(jobs.job())
        return 0
    except Exception as error:
        cause = _own(error)
        if cause is None:
            raise
        lines.error(cause.code, cause.message, cause.hint)
        return 3


def _own(error: BaseException | None) -> QoqError | None:
    """Ours, where Ray has wrapped it."""
    for _ in range(8):
        if isinstance(error, QoqError) or error is None:
            return error
        error = getattr(error, "cause", None) or error.__cause__
    return None


def train(job: dict) -> None:
    """Runs a job: verl's settings stand in it as verl calls them."""
    calls.check(job["qoq"])  # a wrong key ends the job before a model is loaded
    out = os.path.abspath(job["folder"])
    base = folders.plain(job["model"], os.path.join(out, "base"))
    config = settings({**job["verl"], "actor_rollout_ref.model.path": base, "trainer.default_local_dir": os.path.join(out, "checkpoints")})

    from verl.trainer.main_ppo import TaskRunnerV1, run_ppo
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    validate_config(config=config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    run_ppo(config, task_runner_class=TaskRunnerV1)
    steps = int(job["verl"]["trainer.total_training_steps"])
    trained = os.path.join(out, "checkpoints", f"global_step_{steps}", "actor", "huggingface")
    if not glob.glob(os.path.join(trained, "*.safetensors")):
        raise QoqError("QOQ_NO_MODEL", f"verl ended without a model in {trained}.", "See the log of the job.")
    lines.result(folders.overlay(job["model"], trained, os.path.join(out, "model")))


def settings(values: dict):
    """verl's configuration with these of its fields, by their paths."""
    import verl
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    folder = os.path.join(os.path.dirname(verl.__file__), "trainer", "config")
    with initialize_config_dir(folder, version_base=None):
        config = compose("ppo_trainer")
    for path, value in values.items():
        try:
            OmegaConf.update(config, path, value, force_add=path.startswith(OPEN))
        except OmegaConfBaseException:
            raise QoqError("QOQ_SETTING", f"verl {verl.__version__} has no setting {path}.", "Install verl 0.9.1.") from None
    return config


OPEN = ("ray_kwargs.", "actor_rollout_ref.model.override_config.")
"""Where verl takes fields that its own file does not name."""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
