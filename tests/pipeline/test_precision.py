"""fp32 or bf16: what the settings say, or what is faster."""

import pytest
import torch

from pipeline.model import precision
from pipeline.model.precision import SMALL, autocast, bf16_speedup, computes_in_bf16


@pytest.fixture
def large():
    """A model of enough parameters, which cost no memory."""
    return torch.nn.Linear(SMALL // 1024, 1024, device="meta")


@pytest.mark.parametrize(("speedup", "expected"), [(0.2, False), (1.1, False), (1.9, True)])
def test_auto_takes_what_is_faster(large, monkeypatch, speedup, expected):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: speedup)
    assert computes_in_bf16("auto", large) == expected


def test_a_small_model_stays_in_fp32_without_a_measurement(monkeypatch):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: pytest.fail("measured"))
    assert not computes_in_bf16("auto", torch.nn.Linear(8, 8))


def test_what_the_settings_name_is_not_measured(monkeypatch):
    monkeypatch.setattr(precision, "bf16_speedup", lambda: pytest.fail("measured"))
    model = torch.nn.Linear(8, 8)
    assert computes_in_bf16("bf16", model) and not computes_in_bf16("fp32", model)
    with autocast("bf16", model):
        assert model(torch.ones(2, 8)).dtype == torch.bfloat16


def test_the_measurement_says_what_it_found(capsys):
    bf16_speedup.cache_clear()
    speedup = bf16_speedup()
    line = capsys.readouterr().err
    assert speedup > 0 and f"{speedup:.1f} times" in line and line.count("\n") == 1
    assert bf16_speedup() == speedup and not capsys.readouterr().err
