"""Model cards: what a model is, where it comes from, how to ask it, and what it is not good for.

A card is README.md of a model folder, in the form that the Hugging Face Hub reads: YAML front
matter, then text. What it says of origin is carried from model to model: each training reads the
card of the model that it started from. A licence that no card states is said to be unknown.
Scores are measured after the folder is written; `python -m eval.card` prints a card with them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from pipeline.model.model_prompts import ModelPrompts
from pipeline.model.older_releases import OLDEST
from pipeline.notice import is_about_mathematics, notice

NAME = "README.md"
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

HUB_LANGUAGE = re.compile(r"[a-z]{2,3}")
"""Language codes as the Hub has them."""

CHAT_SNIPPET = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

name = "."  # this folder, or the model's name on the Hub
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForCausalLM.from_pretrained(name)

question = {question}
messages = [{{"role": "user", "content": question}}]
prompt = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
output = model.generate(**prompt, max_new_tokens={tokens}, do_sample=False)
print(tokenizer.decode(output[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
"""

COMPLETION_SNIPPET = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

name = "."  # this folder, or the model's name on the Hub
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForCausalLM.from_pretrained(name)

text = (tokenizer.bos_token or "") + "Problem:\\nWhat is 2 + 3?\\n\\nSolution:\\n"
prompt = tokenizer(text, add_special_tokens=False, return_tensors="pt")
output = model.generate(
    input_ids=prompt["input_ids"],
    attention_mask=prompt["attention_mask"],
    max_new_tokens={tokens},
    do_sample=False,
)
print(tokenizer.decode(output[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
"""

SCORE_SNIPPET = """\
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

name = "."  # this folder, or the model's name on the Hub
tokenizer = AutoTokenizer.from_pretrained(name)
model = AutoModelForTokenClassification.from_pretrained(name)

messages = [{{"role": "user", "content": {question}}}]
text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
text += " 2 + 3 = 5, so the answer is \\\\boxed{{5}}."
inputs = tokenizer(text, add_special_tokens=False, return_tensors="pt")
with torch.no_grad():
    logits = model(input_ids=inputs["input_ids"]).logits
print(torch.sigmoid(logits[0, -1, 0]).item())  # how likely the answer is right
"""

LIMITS = (
    "Made to study how the training of DeepSeekMath works, not for use without supervision: it writes wrong steps "
    "and wrong answers in the tone of right ones, so check what it says. It was tested on the benchmarks that its "
    "scores name and on nothing else: not on other subjects, other languages, safety or bias."
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model has from the checkpoint that it descends from."""

    base_model: str = ""
    """The checkpoint: a Hub id, or a folder's name; empty where it was trained from scratch."""

    licence: str = ""
    """As the Hub spells licences ("apache-2.0", "other"); empty where no card states one."""

    languages: tuple[str, ...] = ()

    def with_languages(self, added: Sequence[str]) -> "Origin":
        """The same, with the languages that a training added."""
        return replace(self, languages=tuple(dict.fromkeys([*self.languages, *added])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a training says about its model."""

    title: str
    description: str
    origin: Origin
    trained_on: Sequence[str] = ()
    """Data sets, by names that mean something to a reader; Hub ids as they are."""

    asking: ModelPrompts | None = None
    parameters: int
    context: int | None
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    task: str = "text-generation"
    """Or "token-classification", for a reward model."""


def write_card(card: Card) -> str:
    """The card as text."""
    sections = [
        f"# {card.title}",
        *_notice(),
        card.description,
        "## Origin\n\n" + _origin(card),
        "## How to ask it\n\n" + _prompts(card),
        "## How to run it\n\n" + _usage(card),
        "## Limits\n\n" + LIMITS,
        "## Training\n\n" + _block(card.settings),
    ]
    if card.metrics:
        sections.append("## Measured in training\n\n" + _block(card.metrics))
    return join_front_matter(_front_matter(card), "\n\n".join(sections) + "\n")


def _notice() -> list[str]:
    """What a reader of the run's cards must know first, if there is anything."""
    return [f"**{notice()}**"] if notice() else []


def _front_matter(card: Card) -> dict[str, Any]:
    """What the Hub reads; what is not known is left out."""
    origin = card.origin
    values: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": card.task}
    if origin.licence:
        values["license"] = origin.licence
    if HUB_ID.fullmatch(origin.base_model):
        values["base_model"] = origin.base_model

    languages = [code for code in origin.languages if HUB_LANGUAGE.fullmatch(code)]
    if languages:
        values["language"] = languages
    datasets = [name for name in card.trained_on if HUB_ID.fullmatch(name)]
    if datasets:
        values["datasets"] = datasets
    values["tags"] = ["math", "deepseekmath"] if is_about_mathematics() else ["deepseekmath"]
    return values


def _origin(card: Card) -> str:
    origin = card.origin
    base = (
        f"`{origin.base_model}`"
        if origin.base_model
        else "none: the first model of this run was trained from scratch"
    )
    licence = f"`{origin.licence}`"
    if origin.base_model:
        licence += ", which is that of the base checkpoint"
    if not origin.licence:
        licence = "unknown: the base checkpoint's card states none. Ask its authors before you share this model"

    data = ", ".join(f"`{name}`" for name in card.trained_on) or "see the base checkpoint"
    lines = [
        f"- Base checkpoint: {base}.",
        f"- Licence: {licence}. The terms of the training data hold besides.",
        f"- Trained here on: {data}.",
        f"- Size: {card.parameters:,} parameters"
        + (f", {card.context:,} tokens of context." if card.context else "."),
    ]
    if origin.languages:
        lines.append(f"- Languages: {', '.join(origin.languages)}.")
    return "\n".join(lines)


def _prompts(card: Card) -> str:
    """The layout of the prompts, with the suffix of each mode."""
    asking = card.asking
    if card.task == "token-classification":
        return "It judges solutions; a solution stands behind its prompt, as a model wrote it."
    if asking is None:
        return "By the tokenizer's chat template."
    if asking.style == "few-shot":
        shots = asking.shots if asking.shots is not None else "some"
        return (
            f"It was never taught to chat: show it {shots} worked examples, then the question, each as\n"
            "`Problem:\\n{question}\\n\\nSolution:\\n{solution}`. `prompts.json` holds the same for programs."
        )

    text = (
        "By the tokenizer's chat template; behind the question, on a line of its own, a suffix.\n\n"
    )
    if asking.suffixes is not None:
        text += "| mode | English | Chinese |\n| --- | --- | --- |\n"
        for mode in asking.modes:
            suffixes = getattr(asking.suffixes, mode)
            text += f"| {mode} | `{suffixes.en}` | `{suffixes.zh}` |\n"
    text += (
        "\n`cot` asks for steps, `pot` for a Python program, `tool` for both in turns: generation stops at\n"
        "` ```output `, the program runs, and its output and a closing fence follow. `prompts.json` holds all this "
        "for programs."
    )
    return text


def _usage(card: Card) -> str:
    asking = card.asking
    tokens = (asking.max_new_tokens if asking is not None else None) or 256
    question = "What is 2 + 3?"
    if asking is not None and asking.suffixes is not None and asking.suffixes.cot.en:
        question += f"\n{asking.suffixes.cot.en}"

    if card.task == "token-classification":
        snippet = SCORE_SNIPPET.format(question=json.dumps(question, ensure_ascii=False))
    elif asking is not None and asking.style == "few-shot":
        snippet = COMPLETION_SNIPPET.format(tokens=tokens)
    else:
        snippet = CHAT_SNIPPET.format(
            question=json.dumps(question, ensure_ascii=False), tokens=tokens
        )
    return (
        f"It loads in plain transformers, {OLDEST} or newer (release 5 included):\n\n"
        f"```python\n{snippet}```"
    )


def _block(values: dict[str, Any]) -> str:
    return f"```json\n{json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)}\n```"


def hub_id(path: str) -> str:
    """The data set's id in a source such as "hub:openai/gsm8k:main"; empty for anything else."""
    if not path.startswith("hub:"):
        return ""
    name = path.removeprefix("hub:").partition(":")[0]
    return "/".join(name.split("/")[:2])


# Front matter.


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """A card's front matter and the text behind it; no front matter, or a broken one, is empty."""
    match = FRONT_MATTER.match(text.replace("\r\n", "\n"))
    if match is None:
        return {}, text
    try:
        values = yaml.safe_load(match[1])
    except yaml.YAMLError:
        return {}, text
    return (values if isinstance(values, dict) else {}), text[match.end() :].lstrip("\n")


def join_front_matter(values: dict[str, Any], body: str) -> str:
    """A card of front matter and text."""
    head = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{body}"


# What the model before this one says of itself.


def origin_of(folder: str | Path) -> Origin:
    """The origin of a model that was made by this project, for the card of its successor."""
    text = _card_text(folder)
    values, _ = split_front_matter(text)
    # A base checkpoint that is no Hub id stands in the text only.
    named = re.search(r"^- Base checkpoint: `([^`]+)`", text, re.M)
    return Origin(
        base_model=_first(values.get("base_model")) or (named[1] if named else ""),
        licence=_first(values.get("license")),
        languages=tuple(_strings(values.get("language"))),
    )


def origin_of_checkpoint(source: str) -> Origin:
    """The origin of models that descend from a checkpoint made elsewhere: a folder, or a Hub id."""
    values, _ = split_front_matter(_card_text(source))
    name = source if not Path(source).is_dir() else Path(source).resolve().name
    return Origin(
        base_model=name,
        licence=_first(values.get("license")),
        languages=tuple(_strings(values.get("language"))),
    )


def _first(value: object) -> str:
    return next(iter(_strings(value)), "")


def _strings(value: object) -> list[str]:
    """A value of the front matter, where the Hub allows one or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each]


def _card_text(source: str | Path) -> str:
    """README.md of a folder or of a model on the Hub; empty where there is none."""
    path = Path(source) / NAME
    if path.is_file():
        return path.read_text(encoding="utf-8", errors="replace")
    if Path(source).is_dir() or not HUB_ID.fullmatch(str(source)):
        return ""

    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(str(source), NAME)).read_text("utf-8", errors="replace")
    except Exception:
        # Offline, gated or without a card: then nothing is known.
        return ""
