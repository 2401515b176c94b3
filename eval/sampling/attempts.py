"""Let a model attempt problems: chain of thought, programs, or text and programs in turns.

`attempt_all` samples; it grades nothing. Programs run in the sandbox only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.programs.code_blocks import printed_answer, program_so_far
from eval.sampling.few_shot import FewShot, Shot, chat_question, few_shot
from eval.sampling.tool_loop import ASKS_FOR_OUTPUT, Turns, run_programs_between
from eval.sandbox import Sandbox
from eval.tasks.declarations import Benchmark
from pipeline.artifacts.records import Problem
from pipeline.config.world import Prompts, Suffixes
from pipeline.inference.engine import Engine, SampleRequest, SamplingSettings
from pipeline.model.chat import encode_prompts
from pipeline.progress import Progress

_NOTHING = Suffixes(en="", zh="")
BARE = Prompts(cot=_NOTHING, pot=_NOTHING, tool=_NOTHING)
"""For questions that say themselves what is wanted (functions, proofs)."""


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

    def prompting(self, language: str) -> FewShot:
        """The few-shot prompt for problems of a language."""
        declared = self.benchmark or Benchmark("", "", "", "latex")
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
    stop = _stop(problems, asking)
    settings = SamplingSettings(
        temperature=settings.temperature, top_p=settings.top_p, max_new_tokens=settings.max_new_tokens,
        seed=settings.seed, stop=stop,
    )  # fmt: skip
    keys = [problem.id for problem in problems]
    groups = sampler.sample(SampleRequest(prompts, samples, settings, keys, progress))
    attempts = []
    for problem, prompt, group in zip(problems, prompts, groups, strict=True):
        for index, sample in enumerate(group):
            attempts.append(
                Attempt(prompt, f"{problem.id}\0{index}", problem=problem, sample=index)
            )
            attempts[-1].take(sample)
    if asking.mode == "tool" and asking.style == "chat":
        run_programs_between(sampler, sandbox, attempts, asking.tool_rounds, settings)
    _decode(sampler.tokenizer, attempts, asking)
    if asking.mode == "pot" and not (asking.benchmark and asking.benchmark.metric == "tests"):
        _run_programs(sandbox, attempts)
    return attempts


def _stop(problems: list[Problem], asking: Asking) -> tuple[str, ...]:
    if asking.style == "few-shot":
        marks = (
            mark
            for lang in {p.language: None for p in problems}
            for mark in asking.prompting(lang).layout.stop
        )
        return tuple(dict.fromkeys(marks))
    return ASKS_FOR_OUTPUT if asking.mode == "tool" else ()


def prompts_ids(tokenizer, problems: Sequence[Problem], asking: Asking) -> list[list[int]]:
    """Token ids of the prompts; few-shot prompts start with BOS where the tokenizer has one."""
    if asking.style == "chat":
        return _chat_prompts(tokenizer, problems, asking)
    start = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
    shown = {
        language: asking.prompting(language)
        for language in {problem.language for problem in problems}
    }
    texts = [shown[problem.language].prompt(problem) for problem in problems]
    return [start + ids for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def _chat_prompts(tokenizer, problems: Sequence[Problem], asking: Asking) -> list[list[int]]:
    """Questions with the mode's suffix; those that say themselves what is wanted go without."""
    questions = [
        chat_question(asking.benchmark, p) if asking.benchmark else p.question for p in problems
    ]
    found: dict[int, list[int]] = {}
    for prompts in (asking.prompts, BARE):
        rows = [
            i
            for i, p in enumerate(problems)
            if (questions[i] == p.question) == (prompts is asking.prompts)
        ]
        asked = [(questions[i], asking.mode, problems[i].language) for i in rows]
        found |= dict(zip(rows, encode_prompts(tokenizer, asked, prompts), strict=True))
    return [found[i] for i in range(len(problems))]


def _decode(tokenizer, attempts: list[Attempt], asking: Asking) -> None:
    for attempt in attempts:
        # A function's first line is indented; everything else starts where its text does.
        attempt.output = tokenizer.decode(attempt.output_ids, skip_special_tokens=True).rstrip()
        if attempt.problem.kind != "completion":
            attempt.output = attempt.output.strip()
        if asking.style == "few-shot":
            attempt.output = asking.prompting(attempt.problem.language).cut(attempt.output)


def _run_programs(sandbox: Sandbox, attempts: list[Attempt]) -> None:
    runs = sandbox.run_many([program_so_far(attempt.output) or "" for attempt in attempts])
    for attempt, run in zip(attempts, runs, strict=True):
        attempt.program_status, attempt.printed = run.status, printed_answer(run.stdout)
