"""verl on a machine without a GPU, for rehearsals: VERL_PLATFORM=cpu. It must be loaded before what asks for the platform."""

import contextlib
import functools
import types

import torch
from verl.plugin.platform.platform_base import PlatformBase
from verl.plugin.platform.platform_manager import PlatformRegistry

_nothing = lambda *_, **__: None


def _device_module() -> types.ModuleType:
    """torch.cpu with what verl asks of every device and a CPU has not."""
    module = types.ModuleType("qoq_cpu")
    for name in dir(torch.cpu):
        if not name.startswith("__"):
            setattr(module, name, getattr(torch.cpu, name))
    for name in ("empty_cache", "manual_seed", "manual_seed_all", "reset_peak_memory_stats", "set_device", "synchronize", "ipc_collect"):
        setattr(module, name, _nothing)
    for name in ("max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "current_device"):
        setattr(module, name, lambda *_, **__: 0)
    module.mem_get_info = lambda *_: (2**34, 2**34)
    module.get_rng_state = lambda *_: torch.get_rng_state()
    module.set_rng_state = lambda state, *_: torch.set_rng_state(state)
    module.is_available = lambda: True
    module.device_count = lambda: 1
    module.get_device_name = lambda *_: "cpu"
    return module


@PlatformRegistry.register(platform="cpu")
class PlatformCpu(PlatformBase):
    device_name = "cpu"
    vendor_name = "cpu"
    device_module = _device_module()

    def is_available(self):
        return True

    def current_device(self):
        return torch.device("cpu")

    def device_count(self):
        return 1

    set_device = synchronize = manual_seed = manual_seed_all = set_allocator_settings = empty_cache = _nothing
    profiler_start = profiler_stop = cudart = _nothing

    def is_ipc_supported(self, *_):
        return False

    def get_device_capability(self, device_index=0):
        return None, None

    def communication_backend_name(self):
        return "gloo"

    def visible_devices_envvar(self):
        return "QOQ_VISIBLE_DEVICES"

    @contextlib.contextmanager
    def nvtx_range(self, msg):
        yield

    def ray_resource_name(self):
        return "CPU"

    def ray_noset_envvars(self):
        return []

    def ray_resource_options(self, num_gpus):
        return {"num_cpus": 0}


def _has_processors(self) -> None:
    """verl counts GPUs; here a device is a process."""


_init_process_group = torch.distributed.init_process_group


@functools.wraps(_init_process_group)
def _init_once(backend=None, *args, **kwargs):
    """verl names a backend for the CPU and one for the device, which are one here."""
    return _init_process_group("gloo" if backend == "cpu:gloo,cpu:gloo" else backend, *args, **kwargs)


torch.distributed.init_process_group = _init_once

from verl.single_controller.ray.base import ResourcePoolManager  # noqa: E402 - it asks for the platform

ResourcePoolManager._check_resource_available = _has_processors
from verl.workers.engine.base import EngineRegistry  # noqa: E402
from torch.distributed.fsdp import OffloadPolicy  # noqa: E402
from verl.workers.engine.fsdp import transformer_impl  # noqa: E402

EngineRegistry.register(model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu")(transformer_impl.FSDPEngineWithLMHead)

# Weights that rest are on the CPU already, where no memory is pinned.
transformer_impl.CPUOffloadPolicy = lambda **_: OffloadPolicy()
