"""Chooses where a model computes and in which precision. Knows nothing of the model."""

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def choose_device(wanted: str = "auto") -> str:
    """Return a torch device name: `wanted` itself, or for "auto" the first of cuda, mps, cpu that is there.

    Raises ValueError when the wanted device does not exist here.
    """
    if wanted == "cpu" or (wanted == "auto" and _only_processor()):
        return "cpu"
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"device {wanted!r} cannot be used: {reason}; set KEFU_DEVICE to auto, cpu, cuda, cuda:N or mps"
        ) from error
    return wanted


def _only_processor() -> bool:
    """Whether this build of torch knows no accelerator; told without importing it, which takes seconds."""
    return sys.platform != "darwin" and version("torch").endswith("+cpu")


def encoder_dtype(device: str) -> "torch.dtype":
    """Precision for encoders: full on CPU and MPS, where it costs little; half on CUDA."""
    import torch

    if not device.startswith("cuda"):
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def generator_dtype(device: str) -> "torch.dtype":
    """Precision for generators: bfloat16 wherever it is computed natively."""
    import torch

    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.startswith("mps"):
        return torch.float16
    has = torch.cpu.get_capabilities()
    native = any(has.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return torch.bfloat16 if native else torch.float32


def trains_in_bfloat16(device: str) -> bool:
    """Whether bfloat16 is native; where it is not, a matrix product takes fifty times as long as in float32."""
    import torch

    return generator_dtype(device) == torch.bfloat16


def trainer_autocast(device: str) -> "torch.autocast":
    """Within it matrices are multiplied as a trainer multiplies them (see `trains_in_bfloat16`)."""
    import torch

    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=trains_in_bfloat16(device))
