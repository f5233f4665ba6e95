"""Device and precision are chosen by what the machine has."""

import pytest
import torch

from knowledge_base import device
from knowledge_base.device import choose_device, encoder_dtype, generator_dtype, trainer_autocast


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_best_there_is(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(device, "_only_processor", lambda: False)
    assert choose_device("auto") == expected


def test_a_wanted_device_is_taken_as_it_is() -> None:
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("platform", "build", "expected"),
    [
        ("linux", "2.13.0+cpu", True),
        ("linux", "2.13.0", False),
        ("linux", "2.13.0+cu130", False),
        ("darwin", "2", False),
    ],
)
def test_a_build_without_accelerator_is_known_without_asking_torch(
    monkeypatch: pytest.MonkeyPatch, platform: str, build: str, expected: bool
) -> None:
    monkeypatch.setattr(device.sys, "platform", platform)
    monkeypatch.setattr(device, "version", lambda package: build)
    assert device._only_processor() is expected


@pytest.mark.parametrize("wanted", ["gpu", "cuda:99", "tpu"])
def test_a_device_that_is_not_there_names_the_remedy(wanted: str) -> None:
    with pytest.raises(ValueError, match=f"device '{wanted}' cannot be used: .*; set KEFU_DEVICE to auto"):
        choose_device(wanted)


def test_precision_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert encoder_dtype("cuda") == generator_dtype("cuda:1") == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert encoder_dtype("cuda") == generator_dtype("cuda:1") == torch.float16


@pytest.mark.parametrize(("has", "expected"), [({"avx512_bf16": True}, torch.bfloat16), ({}, torch.float32)])
def test_precision_on_cpu(monkeypatch: pytest.MonkeyPatch, has: dict[str, bool], expected: torch.dtype) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert generator_dtype("cpu") == expected
    assert encoder_dtype("cpu") == torch.float32


@pytest.mark.parametrize("native", [True, False])
def test_trainers_multiply_in_bfloat16_only_where_it_is_native(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    one = torch.ones(2, 2)
    with trainer_autocast("cpu"):
        assert (one @ one).dtype == (torch.bfloat16 if native else torch.float32)
