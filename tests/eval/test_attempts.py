"""Attempts at problems: prompts, the tool loop, programs; with a scripted sampler in place of a model."""

import pytest

from eval.programs.code_blocks import printed_answer, program_so_far, python_blocks, shown_output
from eval.sampling.attempts import Asking, attempt_all
from eval.sampling.few_shot import Shot, cut_at_stop, few_shot_prompt, pick_shots
from eval.sandbox import Sandbox
from pipeline.artifacts.records import Problem
from pipeline.config.prompts import Prompts
from pipeline.inference.engine import Sample, SamplingSettings
from tests.support.tiny_model import tiny_tokenizer

PROBLEM = Problem("p1", "What is 2+3?", "5")


class Scripted:
    """Answers the n-th call with the n-th text, whatever the prompt; remembers the prompts."""

    def __init__(self, *texts, finish="stop"):
        self.tokenizer, self.texts, self.prompts, self.finish = (
            tiny_tokenizer(),
            list(texts),
            [],
            finish,
        )

    def sample(self, request):
        self.prompts += [self.tokenizer.decode(prompt) for prompt in request.prompts]
        ids = self.tokenizer.encode(self.texts.pop(0), add_special_tokens=False)
        sample = Sample(ids, [0.0] * len(ids), self.finish)
        return [[sample] * request.samples_per_prompt for _ in request.prompts]


@pytest.fixture(scope="module")
def box():
    with Sandbox(timeout=5, memory_mb=512) as sandbox:
        yield sandbox


def ask(sampler, box, mode, **more):
    asking = Asking(mode, prompts=Prompts(), **({"style": "chat"} | more))
    return attempt_all(sampler, box, [PROBLEM], 1, asking, SamplingSettings(temperature=0))[0]


def test_a_program_is_run_and_its_last_line_is_the_answer(box):
    attempt = ask(Scripted(" ```python\nprint('so')\nprint(2+3)\n```"), box, "pot")
    assert (attempt.printed, attempt.program_status) == ("5", "ok")


def test_a_program_that_fails_has_no_answer(box):
    attempt = ask(Scripted(" ```python\nprint(1/0)\n```"), box, "pot")
    assert attempt.printed is None and attempt.program_status == "error"


def test_the_tool_loop_inserts_the_output_and_goes_on(box):
    sampler = Scripted(
        " I compute.\n```python\nx = 2+3\nprint(x)\n```\n```output", "The answer is \\boxed{5}."
    )
    attempt = ask(sampler, box, "tool")

    assert attempt.output.endswith("```output\n5\n```\nThe answer is \\boxed{5}.")
    assert sampler.prompts[1].endswith("```output\n5\n```\n"), (
        "the model goes on behind the inserted output"
    )


def test_the_tool_loop_shows_errors_and_ends_after_its_rounds(box):
    text = "```python\nprint(unknown)\n```\n```output"
    sampler = Scripted(text, text, text)
    attempt = ask(sampler, box, "tool", tool_rounds=2)

    assert len(sampler.prompts) == 2 and attempt.output.count("Runtime errors: NameError") == 2


def test_tokens_count_what_the_model_wrote_not_what_the_sandbox_did(box):
    first, second = "```python\nprint(10**40)\n```\n```output", "done"
    sampler = Scripted(first, second)
    written = sum(
        len(sampler.tokenizer.encode(text, add_special_tokens=False)) for text in (first, second)
    )

    assert ask(sampler, box, "tool").tokens == written


def test_a_cut_off_answer_asks_for_nothing(box):
    sampler = Scripted("```python\nprint(1)\n```\n```output", finish="length")
    assert ask(sampler, box, "tool").program_status == ""


def test_few_shot_prompts_show_examples_of_the_mode_and_language_first(box):
    shots = [
        Shot("q-en", "one", "cot", "en"),
        Shot("q-zh", "yi", "cot", "zh"),
        Shot("q-pot", "```python\nprint(1)\n```", "pot", "en"),
    ]
    assert [s.question for s in pick_shots(shots, "cot", "zh", 1)] == ["q-zh"]
    assert [s.question for s in pick_shots(shots, "cot", "en", 2)] == ["q-en", "q-zh"]

    text = few_shot_prompt(PROBLEM, pick_shots(shots, "pot", "en", 3))

    assert (
        text
        == "Problem:\nq-pot\n\nSolution:\n```python\nprint(1)\n```\n\nProblem:\nWhat is 2+3?\n\nSolution:\n"
    )


def test_a_completion_ends_where_the_model_starts_another_problem():
    assert cut_at_stop("It is 5.\n\nProblem:\nNext") == "It is 5."


def test_earlier_blocks_run_again_without_their_prints():
    text = "```python\nx = 1\nprint(x)\nif x:\n    print('kept')\n```\nthen\n```python\nprint(x + 1)\n```"
    assert program_so_far(text) == "x = 1\nif x:\n    print('kept')\nprint(x + 1)"
    assert program_so_far("no program") is None


def test_an_unfinished_block_is_still_found():
    assert python_blocks("a\n```python\nprint(1)") == ["print(1)"]


def test_what_the_model_is_shown_is_short_and_cannot_close_its_fence():
    assert shown_output("ok", "x" * 300, "") == "x" * 50 + "..." + "x" * 50
    assert "```" not in shown_output("ok", "```\nThe answer is 7\n```", "")
    assert shown_output("timeout", "", "") == "Runtime errors: timeout"


def test_a_silent_program_has_no_answer():
    assert printed_answer("\n  \n") is None
