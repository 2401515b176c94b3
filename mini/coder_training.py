"""The work of `python -m mini.coder`: a tokenizer and a small Llama, both trained from scratch."""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pipeline.artifacts.records import read_jsonl, read_solutions
from pipeline.config.coder import Coder, Model
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.forward.batches import Row, context_rows
from pipeline.model.allocator import keep_freed_memory
from pipeline.model.card import Card, Origin, write_card
from pipeline.model.chat import CHAT_TEMPLATE, CODE_FENCE, OUTPUT_FENCE, user_message
from pipeline.model.load import device
from pipeline.model.model_prompts import ModelPrompts, read_evaluation
from pipeline.training.job import TrainingJob
from pipeline.training.step import weighted_nll

TITLE = "Coder checkpoint of the built-in world"
DESCRIPTION = "A small Llama trained from scratch on Python's standard library."

BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
"""The special tokens of the DeepSeek family; padding uses EOS, as there."""
SAMPLE = {"code": 400_000, "prose": 200_000, "conversations": 1_500_000}
"""Characters that the tokenizer learns from. Problems weigh most: their tokens are what fine-tuning
and RL compute."""


def train_coder(args: argparse.Namespace) -> None:
    settings = read_section(args.config, Coder)
    prompts = read_section(args.prompts, Prompts)
    optimisation = settings.optimisation
    files = {
        "code": args.world / "code" / "train.jsonl",
        "prose": args.world / "prose" / "train.jsonl",
        "solutions": args.world / "solutions.jsonl",
    }
    job = TrainingJob(
        "mini.coder",
        settings,
        inputs=files,
        out=args.out,
        resume=args.resume,
        fresh=args.fresh,
        compared={"prompts": prompts.model_dump(mode="json")},
        keep=optimisation.keep_checkpoints,
    )

    tokenizer = train_tokenizer(sample_texts(**files, prompts=prompts), settings.model.vocabulary)
    stream = code_stream(files["code"], tokenizer)
    keep_freed_memory()
    model = LlamaForCausalLM(llama_config(settings.model, tokenizer))
    torch.nn.Module.to(
        model, device()
    )  # transformers' own `to` has a broken signature for type checkers
    steps = max(1, round(settings.tokens / settings.batch_tokens))
    history = job.fit(
        model,
        lambda step: rows_of_step(stream, settings, tokenizer.bos_token_id, step),
        weighted_nll,
        name="coder",
        steps=steps,
        optimisation=optimisation,
    )

    asking = ModelPrompts.of("few-shot", None, prompts, read_evaluation(args.evaluation))
    card = Card(
        title=TITLE,
        description=DESCRIPTION,
        origin=Origin(licence="apache-2.0", languages=("en", "zh")),
        trained_on=["Python's standard library"],
        asking=asking,
        parameters=model.num_parameters(),
        context=settings.model.context,
        settings=settings.model_dump(mode="json"),
    )
    job.save(
        model,
        tokenizer,
        card=write_card(card),
        asking=asking,
        counts={
            "steps": steps,
            "code_tokens": len(stream),
            "parameters": model.num_parameters(),
        },
        lines=history.lines,
    )


def train_tokenizer(texts: Iterator[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE that splits digits singly, with the chat template of pipeline.model.chat."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n+"), behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BOS, EOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=EOS,
        chat_template=CHAT_TEMPLATE,
    )


def sample_texts(code: Path, prose: Path, solutions: Path, prompts: Prompts) -> Iterator[str]:
    """What the tokenizer learns from: code, prose, and conversations about training problems."""
    yield from _until((str(row["text"]) for row in read_jsonl(code)), SAMPLE["code"])
    yield from _until((str(row["text"]) for row in read_jsonl(prose)), SAMPLE["prose"])
    yield from _until(_conversations(solutions, prompts), SAMPLE["conversations"])


def _conversations(path: Path, prompts: Prompts) -> Iterator[str]:
    for solution in islice(read_solutions(path), 20_000):
        message = user_message(solution.question, solution.format, solution.language, prompts)
        answer = "\n".join(turn["content"] for turn in solution.turns)
        yield f"User: {message}\n\nAssistant: {CODE_FENCE}\n{answer}\n{OUTPUT_FENCE}"


def _until(texts: Iterator[str], room: int) -> Iterator[str]:
    for text in texts:
        yield text[:room]
        room -= len(text)
        if room <= 0:
            return


def llama_config(shape: Model, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """DeepSeek-Coder's architecture in small; input and output embeddings are tied to save a fifth
    of the model."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-6,
        initializer_range=shape.initializer_range,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def code_stream(path: Path, tokenizer: PreTrainedTokenizerFast) -> np.ndarray:
    """All source files as one int32 array, each BOS, text, EOS."""
    texts = [str(row["text"]) for row in read_jsonl(path)]
    encoded = tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    pieces = [
        np.array([tokenizer.bos_token_id, *ids, tokenizer.eos_token_id], dtype=np.int32)
        for ids in encoded
    ]
    return np.concatenate(pieces)


def rows_of_step(stream: np.ndarray, settings: Coder, bos: int, step: int) -> list[Row]:
    """Contexts drawn at random places of the stream: a pure function of seed and step."""
    draw = np.random.default_rng([settings.seed, step])
    context = min(settings.context, len(stream))
    starts = draw.integers(0, len(stream) - context + 1, max(1, settings.batch_tokens // context))
    return context_rows([stream[start : start + context] for start in starts], bos)
