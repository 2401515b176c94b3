"""Few-shot prompts for models that were never taught to chat (coder, base).

    Problem:
    <question>

    Solution:
    <worked solution>

repeated for each shot, then the question to answer. A completion ends where the model starts a problem of its own.
"""

from pipeline.records import Problem, Solution

STOP = ("\nProblem:", "\nProblem：")


def pick_shots(solutions: list[Solution], mode: str, language: str, count: int) -> list[Solution]:
    """The first `count` solutions of a mode and language; of any language where there are too few."""
    fitting = [s for s in solutions if s.format == mode]
    same = [s for s in fitting if s.language == language]
    return (same if len(same) >= count else fitting)[:count]


def few_shot_prompt(problem: Problem, shots: list[Solution]) -> str:
    """The text to complete. The shots are never the problem itself: they come from training data."""
    blocks = [f"Problem:\n{shot.question.strip()}\n\nSolution:\n{_solution_text(shot)}\n\n" for shot in shots]
    return "".join(blocks) + f"Problem:\n{problem.question.strip()}\n\nSolution:\n"


def cut_at_stop(text: str) -> str:
    """What the model wrote before it started another problem."""
    for stop in STOP:
        text = text.split(stop, 1)[0]
    return text.strip()


def _solution_text(solution: Solution) -> str:
    fences = {"code": ("```python\n", "\n```"), "output": ("```output\n", "\n```"), "text": ("", "")}
    return "\n".join(
        "".join((fences[t["role"]][0], t["content"].strip(), fences[t["role"]][1])) for t in solution.turns
    )
