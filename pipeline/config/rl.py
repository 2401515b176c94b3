"""Settings of stage 4, reward models and reinforcement learning. Defaults: DeepSeekMath section
4."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.config.base import Incidental, Section, SeededSection
from pipeline.config.engines import VLLM, Engines
from pipeline.config.experts import Experts
from pipeline.config.schedule import Drops
from pipeline.config.training import Lora, Updates

REWARDS = ("rule", "format", "experts", "outcome_model", "process_model")
OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""Code of the user's own, as `module:name` (rl/own_code)."""


def _choice_of(*choices: str) -> AfterValidator:
    """One of `choices`, or a function of the user's own."""

    def check(value: str) -> str:
        if value not in choices and not OWN.fullmatch(value):
            raise ValueError(
                f"choose of {', '.join(choices)}, or name a function of your own as module:function"
            )
        return value

    return AfterValidator(check)


class PolicyUpdates(Updates, SeededSection):
    """What RL and reward models share: sampling with the policy, and the optimiser of a constant
    rate."""

    max_new_tokens: int = Field(1024, ge=1)
    """Tokens of an output at most. Paper: maximum length 1024; NS whether the question counts: it
    does not here."""

    max_batch: Incidental[int] = Field(256, ge=1)
    """Sequences that are sampled side by side. NS; sets memory and speed."""


class Reward(PolicyUpdates):
    """The reward models: initialised from base, labelled by the rule and by rollouts
    (Math-Shepherd)."""

    problems: int = Field(14_973, ge=2)
    """Training problems that solutions are sampled for. Paper NS; all of GSM8K's and MATH's
    training problems."""

    samples_per_problem: int = Field(15, ge=1)
    """Solutions sampled for each problem. Paper NS; Math-Shepherd (arXiv 2312.08935): 15."""

    completions: int = Field(8, ge=1)
    """Rollouts from each step's prefix that decide its label. Paper NS; Math-Shepherd: N = 8."""

    labels: Literal["hard", "soft", "experts", "ratings"] = "hard"
    """A step's label. `hard`: 1 if any rollout is right; `soft`: the share that is. Paper NS;
    Math-Shepherd trains on hard labels. An outcome model may learn from scores instead: `experts`
    lets the simulated experts score sampled answers to cases, `ratings` reads `sources.ratings`."""

    process_model: Literal["head", "implicit"] = "head"
    """The process model: `head` scores the end of every line, after labels by rollouts (Math-Shepherd, as
    in the paper); `implicit` is a language model whose log-ratio to the fine-tuned one rewards each
    step, after verdicts of whole solutions alone (rl/implicit, arXiv 2412.01981)."""

    implicit_beta: float = Field(1.0, gt=0)
    """Factor of its log-ratios, which are log-odds then. PRIME (arXiv 2502.01456): 0.05."""

    implicit_loss: Literal["cross_entropy", "pairwise"] = "cross_entropy"
    """What it learns by: each solution's verdict, or comparisons of right and wrong solutions of a
    problem. Cross-entropy in arXiv 2412.01981."""

    mixed_problems: bool = False
    """Train it only on problems that have both right and wrong solutions. NS; all."""

    experts: Experts = Experts()
    """The simulated experts, and how many raters are held out. NS."""

    known_raters: list[str] | None = None
    """Names that may occur in `sources.ratings`; none allows all. NS."""

    rater_effects: bool = True
    """Model how strict and how noisy each rater is; false takes plain means. NS."""

    rating_loss: Literal["regression", "ordinal"] = "regression"
    """How a model learns from scores (rl/ratings/scale.py). NS."""

    ratings_share: float = Field(1.0, gt=0, le=1)
    """Share of the problems with ratings that train; fewer show what a poor reward model does. NS."""

    temperature: float = Field(0.7, gt=0)
    """Sampling temperature of solutions and rollouts. NS; 0.7 is the paper's for voting (section
    2.3)."""

    learning_rate: float = Field(2e-5, gt=0)
    """Learning rate, without warm-up. Paper, section 4.2: 2e-5."""

    drops: Drops = Field(default_factory=dict)
    """Share of all steps done -> share of the learning rate from there on, as in pretraining. NS:
    constant."""

    epochs: int = Field(1, ge=1)
    """Passes over the labelled solutions. Paper NS; Math-Shepherd: 1."""

    batch_solutions: int = Field(256, ge=1)
    """Solutions of an optimiser step. NS."""

    held_out: float = Field(0.1, gt=0, lt=1)
    """Share of the problems kept from training to measure accuracy, AUC and calibration. NS."""

    checkpoint_every: Incidental[int] = Field(50, ge=1)
    """Optimiser steps between checkpoints. NS."""


class DPO(Section):
    """Direct preference optimisation from right and wrong samples."""

    beta: float | None = Field(None, gt=0)
    """Weight of the distance to the reference. Paper NS; none takes what fits the form: 0.1 for
    sums (the DPO paper's, arXiv 2305.18290), 2 for means (a mean is a sum over some twenty tokens
    or more; SimPO, arXiv 2405.14734, has 2 to 2.5)."""

    form: Literal["mean", "sum"] = "mean"
    """`mean`: log-ratios averaged over an answer's tokens, as in the paper's Eq. 12; `sum`:
    standard DPO."""

    @property
    def weight(self) -> float:
        """`beta`, or what fits the form."""
        if self.beta is not None:
            return self.beta
        return 2.0 if self.form == "mean" else 0.1


class PPO(Section):
    """Proximal policy optimisation: a value model beside the policy, the KL term in the reward (Eq.
    2)."""

    value_learning_rate: float = Field(1e-5, gt=0)
    """Learning rate of the value model. NS; ten times the policy's."""

    gamma: float = Field(1.0, ge=0, le=1)
    """Discount of rewards a token. NS; none, as in GRPO."""

    gae_lambda: float = Field(1.0, ge=0, le=1)
    """Lambda of generalised advantage estimation. NS; 1: the advantage is the reward to go minus
    the value."""

    warmup_steps: int = Field(0, ge=0)
    """First steps in which only the value model learns. NS; none."""


class RL(PolicyUpdates):
    """The policy's training: where outputs come from, what rewards them, and how rewards become
    gradients."""

    # What is asked, what rewards it
    method: Literal["sft", "rft", "online_rft", "dpo", "ppo", "grpo_outcome", "grpo_process"] = (
        "grpo_outcome"
    )
    """How rewards become gradients: paper, table 10. NS: which supervision the published model
    used; outcome needs no process reward model."""

    mode: Literal["cot", "pot", "tool"] = "cot"
    """How questions are asked and what the rule judges: `cot` the boxed answer, `pot` what the
    written program prints when it runs, `tool` the boxed answer behind programs that run while it
    is written, their output inserted (it has no part in the loss). Paper: chain-of-thought
    questions only (4.2)."""

    tool_rounds: int = Field(2, ge=1)
    """Mode tool: generations of an output at most, each of up to `max_new_tokens`. Paper NS for RL;
    2 in its evaluation."""

    rewards: dict[str, float] = Field(default_factory=lambda: {"outcome_model": 1.0})
    """Reward -> weight; the reward is their weighted sum. Paper: a reward model trained on rule
    labels (4.2). Names: rule, format, outcome_model, process_model, or `module:Class` for a class
    of your own with one method `score`."""

    # How many outputs of how many questions, how long
    group_size: int = Field(64, ge=1)
    """Outputs sampled for each question. Paper, section 4.2: 64."""

    drop_groups: Literal["none", "all_wrong", "flat"] = "none"
    """Questions that are left out of an update, whatever the method: those without a right output
    (`all_wrong`), or those whose outputs are all rewarded alike (`flat`). They count in no
    denominator. Paper: none; most of what GRPO gains on rejection sampling comes from dropping wrong
    ones (arXiv 2504.11343)."""

    group_sizing: Literal["fixed", "literal", "scaled"] = "fixed"
    """Outputs per question from step to step. Paper: fixed. `literal` and `scaled` follow the
    spread of the previous step's rewards, up to `group_size` (rl/advantages.py:
    adapted_group_size); a step then has the same questions and fewer outputs."""

    dynamic_sampling: int = Field(0, ge=0)
    """Replace questions whose outputs are rewarded equally by others, at most so many times a step
    (DAPO, arXiv 2503.14476). Paper: none (0)."""

    batch_outputs: int = Field(1024, ge=1)
    """Outputs of an exploration stage. Paper: 1024. Unit NS: outputs, so 16 questions x 64, which
    fits the axes of figures 5 and 6."""

    steps: int = Field(9000, ge=1)
    """Exploration stages of the training. NS; 9,000 is one pass over the 144K questions at 16
    each."""

    iterations: int = Field(1, ge=1)
    """Rounds of iterative GRPO (Algorithm 1): at the start of each the reference becomes the
    policy, and reward models in use are trained on with samples of the policy. Paper, figure 6: up
    to 3."""

    replay: float = Field(0.1, ge=0, lt=1)
    """Share of earlier data when a reward model is trained on. Paper 4.1.4: 10 %. NS of what: of
    the round's data."""

    updates_per_rollout: int = Field(1, ge=1)
    """Optimiser steps on the outputs of an exploration stage. Paper: one."""

    # The update
    learning_rate: float = Field(1e-6, gt=0)
    """Learning rate of the policy, constant. Paper, section 4.2: 1e-6."""

    warmup_steps: int = Field(0, ge=0)
    """Steps over which the rate rises from 0. NS; none."""

    weight_decay: float = Field(0.0, ge=0)
    """AdamW's decay of matrices. NS; none, the KL term already holds the weights."""

    beta: float = Field(0.04, ge=0)
    """Coefficient of the KL term; 0 saves the reference model. Paper, section 4.2: 0.04. NS: GRPO makes
    no update in a step whose groups are all rewarded equally, where this term alone would act."""

    kl: Annotated[str, _choice_of("k1", "k2", "k3", "k1_corrected", "k3_corrected")] = "k3"
    """Estimator of the KL term. Paper: k3 in the loss (Eq. 4). `k2` and the corrected ones have the
    reverse KL's true gradient; `k1` alone has none. Or a function of your own, `module:function`:
    (log_probs [N], ref_log_probs [N]) to the term of each token [N]."""

    likelihood_kl: bool = False
    """Give rft and online_rft the KL term of GRPO, over right and wrong outputs alike. Paper: they
    have none. With rft, whose outputs are the reference's own, it is a penalty and no estimate."""

    surrogate: Literal["clipped", "gspo", "cispo"] = "clipped"
    """What GRPO and PPO maximise. `clipped`: the paper's Eq. 3. `gspo`: the same with one ratio for
    an output, the geometric mean of its tokens' (arXiv 2507.18071; `epsilon` is then of the order of
    3e-4). `cispo`: log-probabilities weighed by the clipped ratio, which has no gradient, so that
    every token learns (arXiv 2506.13585). They differ only with several updates per rollout or
    old samples."""

    epsilon: float = Field(0.2, gt=0, lt=1)
    """Clip range of the ratio. NS; 0.2 is PPO's. It binds only with several updates per rollout."""

    epsilon_high: float | None = Field(None, gt=0)
    """Upper clip range where it differs ("clip higher", DAPO, arXiv 2503.14476); none:
    `epsilon`."""

    importance: Literal["none", "truncated", "masked", "sequence", "sequence_masked"] = "none"
    """Where sampler and trainer round differently. `none`: the sampler's log-probabilities are the
    old policy's. Else the trainer's are, at the price of a forward pass, and a token's term is
    weighed by w = trainer / sampler. `truncated`: min(w, `importance_cap`) (IMPALA, arXiv
    1802.01561). `masked`: w where it lies between 1 / `importance_cap` and `importance_cap`, else 0
    (IcePop, arXiv 2510.18855). `sequence` and `sequence_masked`: the same with the product over the
    output's tokens, which alone is unbiased before it is cut. With the engine `vllm` the default is
    `truncated`."""

    importance_cap: float = Field(2.0, ge=1)
    """Largest weight of a term. NS; 2 is what public implementations use."""

    normalisation: Annotated[str, _choice_of("population", "sample", "none", "robust", "rank")] = (
        "population"
    )
    """What makes rewards advantages (rl/advantages.py: normalise). Paper NS: which standard
    deviation; `none` is Dr. GRPO (arXiv 2503.20783), `robust` median and interquartile range,
    `rank` the order alone. Or a function of your own, `module:function`: (rewards [n], pool [m]) to
    advantages [n]; it is asked only where the pool's rewards differ."""

    combine: Literal["rewards", "advantages"] = "rewards"
    """Where several rewards come together: their weighted sum is normalised, or each is normalised
    by itself and the advantages are summed, so that a reward of narrow spread counts, too (GDPO,
    arXiv 2601.05242). Outcome supervision only. Paper: one reward."""

    process_learning_rate: float = Field(0.0, ge=0)
    """Rate at which an implicit process model learns from each step's own outputs and verdicts (PRIME, arXiv
    2502.01456); 0 leaves it frozen, as the paper's reward models are within an iteration."""

    allow_weak_process_model: bool = False
    """Start although the process model tells right from wrong solutions of a problem badly, or pays for
    the number of steps (rl/implicit/gate.py). NS."""

    process_credit: Literal["sum", "min"] = "sum"
    """What a token is credited with under process supervision: the `sum` of this and later steps'
    normalised rewards (paper, 4.1.3), or the least of them, which does not grow with the number of
    steps (min-form credit, PURE, arXiv 2504.15275)."""

    decay: float = Field(1.0, gt=0, le=1)
    """Time-weighted advantage: token t of T by decay^(T - t), outcome supervision only. Paper: none
    (1)."""

    aggregation: Annotated[str, _choice_of("sequence", "token", "constant")] = "sequence"
    """What the loss is a mean over. Paper: an output's tokens, then outputs (`sequence`). `token`:
    one mean over all tokens (DAPO); `constant`: sum over tokens divided by outputs x max_new_tokens
    (Dr. GRPO). Or a function of your own, `module:function`: (lengths, max_new_tokens) to one
    weight for each output."""

    contrast_only: bool = False
    """Leave outputs whose advantage is 0 (those of questions with equal rewards) out of the update:
    only the KL term acts on them. Saves their cost; the denominator still counts them. Paper: they
    stay (false)."""

    # Sampling
    temperature: float = Field(1.0, gt=0)
    """Sampling temperature. NS; 1, so that outputs are samples of the policy itself;
    log-probabilities are taken at this temperature."""

    top_p: float = 1.0
    """Probability mass that is sampled from. The paper samples by nucleus, with p NS. Only 1 is
    right: otherwise the ratio compares two distributions."""

    lora: Lora = Lora()
    engine: Engines = "own"
    """What samples: `own`, this project's samplers; `vllm`, in a process of its own, whose rounding
    differs from the trainer's: `importance` is then `truncated` unless it is set (docs/models.md).
    NS."""

    vllm: VLLM = VLLM()

    dpo: DPO = DPO()
    ppo: PPO = PPO()
    # What is measured and saved on the way
    evaluate_every: Incidental[int] = Field(100, ge=0)
    """Exploration stages between greedy evaluations on held-out problems; 0: only before and after.
    NS."""

    evaluate_problems: int = Field(500, ge=1)
    """Held-out problems that are evaluated, at most. NS."""

    record_every: Incidental[int] = Field(50, ge=1)
    """Exploration stages between recorded rollouts (for reading, in the report). NS."""

    record_questions: Incidental[int] = Field(2, ge=1)
    """Questions recorded then, with all their outputs. NS."""

    checkpoint_every: Incidental[int] = Field(20, ge=1)
    """Exploration stages between checkpoints. NS."""

    compile_sampler: Incidental[Literal["auto", "always", "never"]] = "auto"
    """Put the sampler's step through torch.compile; `auto`: on CUDA only. NS. Not yet run on a GPU.
    Log-probabilities may differ in the last bits."""

    @model_validator(mode="before")
    @classmethod
    def _importance_follows_the_engine(cls, values: Any) -> Any:
        """Another engine rounds differently: what it sampled is weighed, unless the file says otherwise."""
        if isinstance(values, dict) and values.get("engine") == "vllm":
            return {"importance": "truncated"} | values
        return values

    @property
    def questions(self) -> int:
        """Questions of a step."""
        return self.batch_outputs // self.group_size

    @property
    def own_code(self) -> dict[str, list[str]]:
        """The names `module:name` of the user's own code, by the setting that holds them."""
        named = {
            "rewards": list(self.rewards),
            "normalisation": [self.normalisation],
            "aggregation": [self.aggregation],
            "kl": [self.kl],
        }
        own = {setting: [name for name in names if ":" in name] for setting, names in named.items()}
        return {setting: names for setting, names in own.items() if names}

    @property
    def own_modules(self) -> list[str]:
        """The modules of that code."""
        modules = {name.partition(":")[0] for names in self.own_code.values() for name in names}
        return sorted(modules)

    @model_validator(mode="after")
    def _possible(self) -> "RL":
        """Refuse settings that do not go together."""
        if self.batch_outputs % self.group_size:
            raise ValueError(
                f"batch_outputs {self.batch_outputs} is not a multiple of group_size {self.group_size}"
            )
        if self.top_p != 1:
            raise ValueError(
                f"top_p {self.top_p}: only 1 is allowed, or log-probabilities are not the policy's own"
            )

        if not self.rewards or not any(self.rewards.values()):
            raise ValueError("rewards: name at least one with a weight other than 0")
        for name in self.rewards:
            if name not in REWARDS and not OWN.fullmatch(name):
                raise ValueError(
                    f"rewards.{name}: choose of {', '.join(REWARDS)}, or name a class as module:Class"
                )
        # Their training samples and labels chain-of-thought solutions only.
        uses_models = any(name.endswith("_model") for name in self.rewards)
        if self.mode != "cot" and self.iterations > 1 and uses_models:
            raise ValueError(
                f"mode {self.mode}: reward models are trained on between iterations in the mode cot only"
            )

        if self.decay != 1 and self.method != "grpo_outcome":
            raise ValueError(f"decay {self.decay}: defined for method grpo_outcome only")
        if self.combine != "rewards" and self.method != "grpo_outcome":
            raise ValueError(f"combine {self.combine}: defined for method grpo_outcome only")
        if self.surrogate == "gspo" and self.method == "grpo_process":
            raise ValueError(
                "surrogate gspo: has one ratio an output, which needs outcome supervision"
            )
        if self.likelihood_kl and self.method not in ("rft", "online_rft"):
            raise ValueError(f"likelihood_kl: for methods rft and online_rft, not {self.method}")
        if self.method == "grpo_process" and not self.rewards.get("process_model"):
            raise ValueError("method grpo_process needs the reward process_model")
        if self.method.startswith("grpo") and self.group_size < 2:
            raise ValueError(
                f"group_size {self.group_size}: {self.method} compares outputs, at least 2 are needed"
            )

        if self.lora.rank and self.iterations > 1:
            raise ValueError(
                f"lora.rank {self.lora.rank}: with one iteration only; the reference has no adapters"
            )
        if self.steps < self.iterations:
            raise ValueError(f"iterations {self.iterations}: more than steps ({self.steps})")
        return self
