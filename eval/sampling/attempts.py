"""Let a model attempt problems: chain of thought, programs, or text and programs in turns.

`attempt_all` samples; it grades nothing. Programs run in the sandbox only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from eval.programs.code_blocks import printed_answer, program_so_far
from eval.sampling.few_shot import FewShot, Shot, chat_question, few_shot
from eval.sampling.tool_loop import ASKS_FOR_OUTPUT, Turns, run_programs_between
from eval.sandbox import Sandbox
from eval.tasks.declarations import Benchmark
from pipeline.artifacts.records import Problem
from pipeline.config.prompts import Prompts, Suffixes
from pipeline.inference.engine import Engine, SampleRequest, SamplingSettings
from pipeline.model.chat import encode_prompts
from pipeline.progress import Progress

# For questions that say themselves what is wanted (functions, proofs): no suffix.
_NO_SUFFIX = Suffixes(en="", zh="")
BARE = Prompts(cot=_NO_SUFFIX, pot=_NO_SUFFIX, tool=_NO_SUFFIX)


@dataclass(slots=True, kw_only=True)
class Attempt(Turns):
    """One sampled answer: `output` is all text after the prompt."""

    problem: Problem
    sample: int
    output: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """How problems are put to a model."""

    mode: str  # "cot" | "pot" | "tool"
    style: str  # "chat" (the tokenizer's template and the prompts' suffix) or "few-shot"
    prompts: Prompts
    shots: Sequence[Shot] = ()
    shot_count: int = 0
    tool_rounds: int = 2
    benchmark: Benchmark | None = None  # layout, examples and scoring of a declared benchmark
    file: str = ""  # the benchmark's file: some bring their worked examples beside it
    stop: tuple[str, ...] = ()  # further strings at which the model's answers end

    def prompting(self, language: str) -> FewShot:
        """The few-shot prompt for problems of a language."""
        declared = self.benchmark or Benchmark(name="", title="", file="", answer="latex")
        return few_shot(declared, self.mode, list(self.shots), self.shot_count, language, self.file)


def attempt_all(
    sampler: Engine,
    sandbox: Sandbox | None,
    problems: list[Problem],
    samples: int,
    asking: Asking,
    settings: SamplingSettings,
    progress: Progress | None = None,
) -> list[Attempt]:
    """`samples` attempts at each problem, problem by problem. Random numbers depend on (seed, problem id, sample).

    `sandbox` runs the programs of the modes pot and tool; cot needs none.
    """
    prompts = prompts_ids(sampler.tokenizer, problems, asking)
    settings = replace(settings, stop=_stop_strings(problems, asking))
    keys = [problem.id for problem in problems]
    groups = sampler.sample(SampleRequest(prompts, samples, settings, keys, progress))

    attempts = []
    for problem, prompt, group in zip(problems, prompts, groups, strict=True):
        for index, sample in enumerate(group):
            key = f"{problem.id}\0{index}"
            attempt = Attempt(prompt, key, problem=problem, sample=index)
            attempt.take(sample)
            attempts.append(attempt)

    if asking.mode == "tool" and asking.style == "chat":
        run_programs_between(sampler, _needed(sandbox), attempts, asking.tool_rounds, settings)
    _decode(sampler.tokenizer, attempts, asking)

    # A function is run by its tests (eval.programs.unit_tests) and prints nothing by itself.
    is_function = asking.benchmark is not None and asking.benchmark.metric == "tests"
    if asking.mode == "pot" and not is_function:
        _run_programs(_needed(sandbox), attempts)
    return attempts


def _needed(sandbox: Sandbox | None) -> Sandbox:
    if sandbox is None:
        raise ValueError("the modes pot and tool need a sandbox")
    return sandbox


def _stop_strings(problems: list[Problem], asking: Asking) -> tuple[str, ...]:
    """Where generation ends: few-shot, where the model starts on a next problem; with the tool, where it asks for
    an output; and where the model says."""
    marks: dict[str, None] = {}
    if asking.style == "few-shot":
        for language in dict.fromkeys(problem.language for problem in problems):
            marks |= dict.fromkeys(asking.prompting(language).layout.stop)
        return tuple(marks | dict.fromkeys(asking.stop))

    marks = dict.fromkeys(ASKS_FOR_OUTPUT if asking.mode == "tool" else ())
    return tuple(marks | dict.fromkeys(asking.stop))


def prompts_ids(tokenizer: Any, problems: Sequence[Problem], asking: Asking) -> list[list[int]]:
    """Token ids of the prompts; few-shot prompts start with BOS where the tokenizer has one."""
    if asking.style == "chat":
        return _chat_prompts(tokenizer, problems, asking)

    languages = {problem.language for problem in problems}
    prompting = {language: asking.prompting(language) for language in languages}
    texts = [prompting[problem.language].prompt(problem) for problem in problems]

    start = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
    return [start + ids for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def _chat_prompts(tokenizer: Any, problems: Sequence[Problem], asking: Asking) -> list[list[int]]:
    """Questions with the mode's suffix; those that say themselves what is wanted go without."""
    input_ids: list[list[int]] = [[] for _ in problems]
    questions: list[tuple[str, str, str]] = []  # text, mode, language
    with_suffix: list[int] = []  # places in `problems`
    bare: list[int] = []

    for place, problem in enumerate(problems):
        question = problem.question
        if asking.benchmark:
            question = chat_question(asking.benchmark, problem)
        questions.append((question, asking.mode, problem.language))

        if question == problem.question:
            with_suffix.append(place)
        else:
            bare.append(place)

    for places, prompts in ((with_suffix, asking.prompts), (bare, BARE)):
        encoded = encode_prompts(tokenizer, [questions[place] for place in places], prompts)
        for place, ids in zip(places, encoded, strict=True):
            input_ids[place] = ids
    return input_ids


def _decode(tokenizer: Any, attempts: list[Attempt], asking: Asking) -> None:
    """Fill in the attempts' text."""
    for attempt in attempts:
        text = tokenizer.decode(attempt.output_ids, skip_special_tokens=True)

        # A function's first line is indented; everything else starts where its text does.
        is_completion = attempt.problem.kind == "completion"
        attempt.output = text.rstrip() if is_completion else text.strip()

        if asking.style == "few-shot":
            attempt.output = asking.prompting(attempt.problem.language).cut(attempt.output)


def _run_programs(sandbox: Sandbox, attempts: list[Attempt]) -> None:
    """Run each attempt's program; one without a program runs an empty one and prints nothing."""
    programs = [program_so_far(attempt.output) or "" for attempt in attempts]

    for attempt, run in zip(attempts, sandbox.run_many(programs), strict=True):
        attempt.program_status = run.status
        attempt.printed = printed_answer(run.stdout)
