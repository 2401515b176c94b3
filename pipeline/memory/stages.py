"""What every stage takes at its fullest moments, part by part."""

from dataclasses import dataclass

from pipeline.config.load import Config
from pipeline.config.rl import RL
from pipeline.config.training import FineTuning, Optimisation, Updates
from pipeline.memory.card import Card
from pipeline.memory.layers import MASTER, Pass
from pipeline.memory.shape import Shape

GPUS_OF_A_NODE = 8

LIBRARIES = 480 * 2**20
"""Bytes of a process on a processor that has loaded torch and transformers and computed something."""

CONTEXT = 1_500_000_000
"""Bytes of a GPU that belong to no tensor: CUDA's context, its kernels, buffers of NCCL."""

PROMPT = 256
"""Tokens of a prompt, roughly; a few-shot prompt of the evaluation has EXAMPLE tokens more for each example."""

EXAMPLE = 200

CACHE_BLOCK = 32
ROWS_BLOCK = 16
PREFILL_TOKENS = 16_384
"""As the sampler has them (pipeline.inference); a test holds them together."""

CACHE_SHARE = 0.8
"""Share of a GPU's free memory that the sampler's caches take at most (pipeline.inference.sampler)."""

SYNCHRONISED_ONCE = 1 / 8
"""Share of a GPU's memory up to which whole gradients are kept until a step's last micro-batch
(pipeline.model.distributed)."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one process takes at one moment of a stage."""

    stage: str
    moment: str
    parts: dict[str, int]
    """Bytes by what they are."""
    lever: str
    """Settings that make it less."""

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    @property
    def fixed(self) -> int:
        """Bytes that no setting of a batch makes less: the models themselves."""
        return sum(self.parts.get(name, 0) for name in FIXED)


FIXED = ("weights", "gradients", "moments")
PARTS = (*FIXED, "other models", "engine", "cache", "activations", "logits", "process")


def needs(config: Config, shape: Shape, card: Card) -> list[Need]:
    """The fullest moments of all stages, in the order in which they run."""
    sft, pretrain = config.sft.optimisation, config.pretrain.optimisation
    of_node = min(card.processes, GPUS_OF_A_NODE)
    found = [
        _training("pretrain", shape, card, pretrain, card.processes, config.pretrain.batch_tokens),
        _training(
            "sft", shape, card, sft, of_node, config.sft.batch_sequences * config.sft.context
        ),
    ]
    rewarded_by_models = any(name.endswith("_model") for name in config.rl.rewards)
    if rewarded_by_models:
        found += _reward(config, shape, card, of_node)
    found += _rl(config, shape, card, of_node)
    found.append(_evaluation(config, shape, card))
    return found


# Trainings.


def _training(
    stage: str, shape: Shape, card: Card, settings: Updates, processes: int, step_tokens: int
) -> Need:
    """Pretraining or fine-tuning: the backward pass of a micro-batch, others having been before it."""
    tokens = min(settings.micro_batch_tokens, step_tokens)
    batches = -(-step_tokens // (settings.micro_batch_tokens * processes))
    parts = _trained(shape, card, settings, processes, batches)
    step = pass_of(shape, card, settings, tokens, tokens)
    parts |= _step(step, card, _gathered(shape, card, settings, processes), batches)
    prefix = f"{stage}.optimisation" if isinstance(settings, Optimisation) else stage
    return Need(stage, "update", parts, f"{prefix}.micro_batch_tokens")


def _trained(
    shape: Shape, card: Card, settings: Updates, processes: int, batches: int
) -> dict[str, int]:
    """What stays from micro-batch to micro-batch."""
    share = _share(settings, processes, card)
    weights = MASTER * shape.parameters
    rank = settings.lora.rank if isinstance(settings, FineTuning | RL) else 0
    # With adapters only they have gradients and moments.
    size = MASTER * shape.adapters(rank) if rank else weights
    gradients = size / share

    if card.on_gpu and share > 1 and weights <= SYNCHRONISED_ONCE * card.memory and batches > 1:
        gradients += size
    if not card.on_gpu and batches > 2:
        # A finished micro-batch's gradients wait while the next ones are computed.
        gradients += size
    return {
        "weights": round((weights + (size if rank else 0)) / share),
        "gradients": round(gradients),
        "moments": round(2 * size / share),
        "process": CONTEXT if card.on_gpu else LIBRARIES,
    }


def _share(settings: Updates, processes: int, card: Card) -> int:
    """Over how many processes a model's weights are dealt out."""
    if settings.distribution == "replicate":
        return 1
    if settings.distribution == "hybrid":
        return max(1, processes // card.nodes)
    return processes


def _gathered(shape: Shape, card: Card, settings: Updates, processes: int) -> int:
    """Whole weights and gradients of sharded layers at a time: two layers, and what lies outside of layers."""
    if _share(settings, processes, card) == 1:
        return 0
    outside = shape.parameters - shape.layers * shape.layer
    width = 2 if _in_bf16(settings, card) else MASTER
    weights = width * (2 * shape.layer + outside)
    gradients = (width + MASTER) * max(shape.layer, outside)
    return weights + gradients


def pass_of(shape: Shape, card: Card, settings: Updates, tokens: int, targets: int) -> Pass:
    """How a micro-batch of a training is computed."""
    wanted = settings.activation_checkpointing
    recomputes = wanted == "always" or (wanted == "auto" and card.on_gpu)
    return Pass(
        shape,
        tokens,
        targets,
        bf16=_in_bf16(settings, card),
        recomputes=recomputes,
        fused=not card.on_gpu and not recomputes,
        padding=1.25,
    )


def _in_bf16(settings: Updates, card: Card) -> bool:
    return settings.precision == "bf16" or (settings.precision == "auto" and card.bf16)


def _step(step: Pass, card: Card, gathered: int, batches: int) -> dict[str, int]:
    """Activations and logits of the micro-batches that are computed at a time."""
    at_once = 1 if card.on_gpu else min(card.threads, batches)
    activations = step.peak - step.logits + gathered
    if not card.on_gpu and batches > 1:
        # At its end a micro-batch has given back its activations and has gradients of its own.
        activations = max(activations, MASTER * step.shape.parameters)
    return {"activations": round(at_once * activations), "logits": at_once * step.logits}


# What samples.


def cache_bytes(shape: Shape, width: int, slots: int, prompts: int, prompt: int, new: int) -> int:
    """Keys and values of so many sequences, of their prompts, and of the chunk in which prompts are computed."""
    own = _up(slots, ROWS_BLOCK) * _up(new, CACHE_BLOCK)
    of_prompts = _up(min(prompts, slots), ROWS_BLOCK) * _up(prompt, CACHE_BLOCK)
    chunk = min(PREFILL_TOKENS, prompts * prompt)
    return (own + of_prompts + chunk) * cached_token(shape, width)


def cached_token(shape: Shape, width: int) -> int:
    """Bytes of one token's keys and values in all layers."""
    return 2 * width * shape.layers * shape.keys


def engine_bytes(shape: Shape, width: int) -> int:
    """The sampler's own weights; embeddings and output layer are two, also where the model has them as one."""
    return width * (shape.products + shape.embedding)


def _sampling(
    shape: Shape,
    card: Card,
    width: int,
    held: dict[str, int],
    slots: int,
    prompts: int,
    prompt: int,
    new: int,
) -> dict[str, int]:
    """Engine and cache beside what is `held`. On a GPU the sampler takes no more than is free."""
    # A prompt that leaves no room for an output is not sampled from.
    prompt = max(1, min(prompt, shape.context - new))
    engine = engine_bytes(shape, width)
    cache = cache_bytes(shape, width, slots, prompts, prompt, new)
    if card.on_gpu:
        free = card.memory - sum(held.values()) - engine
        least = cache_bytes(shape, width, ROWS_BLOCK, ROWS_BLOCK, prompt, new)
        cache = max(least, min(cache, round(CACHE_SHARE * free)))

    # One layer's products of the chunk in which prompts are computed.
    chunk = min(PREFILL_TOKENS, prompts * prompt)
    products = chunk * (3 * MASTER * shape.hidden + 3 * width * shape.intermediate)
    logits = 3 * MASTER * slots * shape.vocabulary
    return held | {"engine": engine, "cache": cache, "activations": products, "logits": logits}


def _frozen(shape: Shape, card: Card, settings: Updates, processes: int) -> int:
    """A model that only computes: its products in bf16 where the GPU computes so."""
    halved = card.on_gpu and _in_bf16(settings, card)
    size = MASTER * shape.parameters
    if halved:
        size -= 2 * (shape.products - (shape.embedding if shape.tied else 0))
    return size // _share(settings, processes, card)


def _rl(config: Config, shape: Shape, card: Card, processes: int) -> list[Need]:
    """RL: sampling, and the update beside the reference and the reward models."""
    settings = config.rl
    judges = sum(1 for name in ("outcome_model", "process_model") if settings.rewards.get(name))
    others = judges + int(settings.beta > 0)
    beside = others * _frozen(shape, card, settings, processes)
    width = 2 if _in_bf16(settings, card) else MASTER

    # Prompts are computed once for each output where layers are computed again.
    outputs = -(-settings.batch_outputs // processes)
    step_tokens = outputs * (PROMPT + settings.max_new_tokens)
    tokens = min(settings.micro_batch_tokens, step_tokens)
    batches = -(-step_tokens // max(1, tokens))

    held = _trained(shape, card, settings, processes, batches)
    if settings.method == "ppo":
        value = _trained(shape, card, settings, processes, batches)
        held = {name: held[name] + (value[name] if name in FIXED else 0) for name in held}
    held["other models"] = beside

    slots = min(settings.max_batch, outputs)
    questions = -(-outputs // settings.group_size)
    resting = {name: size for name, size in held.items() if name != "gradients"}
    sampling = _sampling(
        shape, card, width, resting, slots, questions, PROMPT, settings.max_new_tokens
    )

    step = pass_of(shape, card, settings, tokens, tokens)
    update = held | _step(step, card, _gathered(shape, card, settings, processes), batches)
    if not card.on_gpu:
        # A processor keeps its sampler: engine and caches.
        update["engine"] = sampling["engine"]
        update["cache"] = sampling["cache"]
    return [
        Need("rl", "sample", sampling, "rl.max_batch, rl.max_new_tokens"),
        Need("rl", "update", update, "rl.micro_batch_tokens"),
    ]


def _reward(config: Config, shape: Shape, card: Card, processes: int) -> list[Need]:
    """Reward models: labels are sampled while the model waits, then it is trained."""
    settings = config.reward
    width = 2 if _in_bf16(settings, card) else MASTER
    share = _share(settings, processes, card)
    writer = _frozen(shape, card, settings, 1)

    held = {
        "weights": MASTER * shape.parameters // share,
        "process": CONTEXT if card.on_gpu else LIBRARIES,
        "other models": writer,
    }
    slots = settings.max_batch
    # A rollout's prompt holds the solution up to a step.
    prompt = PROMPT + settings.max_new_tokens
    labels = _sampling(shape, card, width, held, slots, slots, prompt, settings.max_new_tokens)

    step_tokens = settings.batch_solutions * (PROMPT + settings.max_new_tokens)
    update = _training("reward", shape, card, settings, processes, step_tokens)
    return [
        Need("reward", "labels", labels, "reward.max_batch, reward.max_new_tokens"),
        update,
    ]


def _evaluation(config: Config, shape: Shape, card: Card) -> Need:
    """Evaluation on one card: the loaded model and the engine that samples from it."""
    settings = config.eval
    in_bf16 = settings.precision == "bf16" or (settings.precision == "auto" and card.bf16)
    width = 2 if in_bf16 else MASTER
    held = {
        "weights": MASTER * shape.parameters,
        "process": CONTEXT if card.on_gpu else LIBRARIES,
    }
    prompt = PROMPT + settings.shots * EXAMPLE
    parts = _sampling(
        shape, card, width, held, settings.batch, settings.batch, prompt, settings.max_new_tokens
    )
    return Need("eval", "sample", parts, "eval.batch, eval.max_new_tokens")


def _up(number: int, block: int) -> int:
    return -(-number // block) * block
