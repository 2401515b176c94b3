"""What tells the RL methods apart that benchmarks.rl_methods compares: changes of the preset's settings."""

from typing import Any

# Rewards of GRPO with process supervision.
PROCESS = {"rewards": {"process_model": 1.0}}
METHODS: dict[str, dict[str, Any]] = {
    "SFT start": {"steps": 0},
    "RFT": {"method": "rft"},
    "Online RFT": {"method": "online_rft"},
    "DPO": {"method": "dpo"},
    "PPO": {"method": "ppo", "ppo": {"value_learning_rate": 1e-3}},
    "GRPO+OS": {"method": "grpo_outcome"},
    "GRPO+PS": {"method": "grpo_process", **PROCESS},
    "iterative": {"method": "grpo_outcome", "iterations": 3},
}
# (the method that the paper finds better, the other).
ORDERINGS = [
    ("Online RFT", "RFT"),
    ("GRPO+OS", "Online RFT"),
    ("GRPO+PS", "GRPO+OS"),
    ("iterative", "GRPO+OS"),
]
