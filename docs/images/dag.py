"""The picture of the DAG in the README: boxes on a grid, a box for each step, an arrow for each output that is used.

    python docs/images/dag.py            writes docs/images/dag.svg

tests/examples/test_dag_picture.py compares it with the rules that Snakemake plans, so that it cannot become wrong.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 1080, 410
BOX_WIDTH, BOX_HEIGHT = 156, 58
COLUMNS = (14, 194, 374, 554, 734, 914)
ROWS = (34, 138, 242, 338)


@dataclass(frozen=True, slots=True)
class Box:
    """One step of the DAG."""

    title: str
    note: str
    package: str
    """Chooses the colour."""
    column: int
    row: int
    rules: tuple[str, ...]
    """The rules of Snakemake that it stands for."""

    @property
    def left(self) -> int:
        return COLUMNS[self.column]

    @property
    def right(self) -> int:
        return self.left + BOX_WIDTH

    @property
    def top(self) -> int:
        return ROWS[self.row]

    @property
    def bottom(self) -> int:
        return self.top + BOX_HEIGHT

    @property
    def centre(self) -> int:
        return self.left + BOX_WIDTH // 2

    @property
    def middle(self) -> int:
        return self.top + BOX_HEIGHT // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to another, through corners given in pixels."""

    source: str
    target: str
    points: tuple[tuple[int, int], ...]
    optional: bool = False
    """Drawn dashed: only some settings need it."""


COLOURS = {
    "sources": ("#f3f4f6", "#6b7280"),
    "corpus": ("#dbeafe", "#1d4ed8"),
    "models": ("#dcfce7", "#15803d"),
    "rl": ("#ffedd5", "#c2410c"),
    "eval": ("#f3e8ff", "#7e22ce"),
}
"""Fill and outline."""

BOXES = {
    "web": Box("web pages", "WARC, Common Crawl", "sources", 0, 0, ("mini_web",)),
    "pages": Box("pages", "text and formulas", "corpus", 1, 0, ("extract",)),
    "duplicates": Box("duplicates", "URL, text, MinHash", "corpus", 2, 0, ("dedup",)),
    "rounds": Box("four rounds", "fastText, URL prefixes", "corpus", 3, 0, ("mine_round",)),
    "corpus": Box("corpus", "no benchmark leaks", "corpus", 4, 0, ("finalise_corpus",)),
    "corpus_report": Box("corpus report", "corpus.html", "corpus", 5, 0, ("corpus_report_page",)),
    "text": Box("code and prose", "or any checkpoint", "sources", 0, 1, ("mini_code",)),
    "coder": Box("coder", "the checkpoint", "models", 1, 1, ("train_coder",)),
    "base": Box("base", "continued pretraining", "models", 2, 1, ("tokenise", "train_base")),
    "instruct": Box("instruct", "CoT, PoT, tools", "models", 3, 1, ("sft_examples", "train_sft")),
    "rl": Box("RL", "GRPO and its siblings", "rl", 5, 1, ("train_rl",)),
    "problems": Box("problems", "solutions, benchmarks", "sources", 0, 2, ("mini_problems",)),
    "reward": Box("reward models", "outcome, process", "rl", 4, 2, ("train_reward_model",)),
    "evaluation": Box(
        "evaluation", "all models, Maj@K", "eval", 5, 2, ("evaluate_model", "summarise")
    ),
    "results_report": Box("results report", "results.html", "eval", 5, 3, ("results_report_page",)),
}


def straight(source: str, target: str) -> Arrow:
    """From the right edge of a box to the left edge of one further right in its row."""
    a, b = BOXES[source], BOXES[target]
    return Arrow(source, target, ((a.right, a.middle), (b.left, b.middle)))


def down(source: str, target: str) -> Arrow:
    """From the lower edge of a box to the upper edge of the one below it."""
    a, b = BOXES[source], BOXES[target]
    return Arrow(source, target, ((a.centre, a.bottom), (b.centre, b.top)))


def arrows() -> list[Arrow]:
    corpus, base, instruct = BOXES["corpus"], BOXES["base"], BOXES["instruct"]
    problems, reward, rl = BOXES["problems"], BOXES["reward"], BOXES["rl"]

    between_rows = (corpus.bottom + base.top) // 2
    corpus_to_base = (
        (corpus.centre, corpus.bottom),
        (corpus.centre, between_rows),
        (base.centre, between_rows),
        (base.centre, base.top),
    )
    problems_to_instruct = (
        (problems.right, problems.middle),
        (instruct.centre, problems.middle),
        (instruct.centre, instruct.bottom),
    )
    branch = instruct.right + 16
    instruct_to_reward = (
        (instruct.right, instruct.middle),
        (branch, instruct.middle),
        (branch, reward.middle),
        (reward.left, reward.middle),
    )
    below_rl = (rl.bottom + reward.top) // 2
    reward_to_rl = (
        (reward.centre, reward.top),
        (reward.centre, below_rl),
        (rl.left + 36, below_rl),
        (rl.left + 36, rl.bottom),
    )

    return [
        straight("web", "pages"),
        straight("pages", "duplicates"),
        straight("duplicates", "rounds"),
        straight("rounds", "corpus"),
        straight("corpus", "corpus_report"),
        straight("text", "coder"),
        straight("coder", "base"),
        straight("base", "instruct"),
        straight("instruct", "rl"),
        Arrow("corpus", "base", corpus_to_base),
        Arrow("problems", "instruct", problems_to_instruct),
        Arrow("instruct", "reward", instruct_to_reward),
        Arrow("reward", "rl", reward_to_rl, optional=True),
        down("rl", "evaluation"),
        down("evaluation", "results_report"),
    ]


def draw_box(box: Box) -> str:
    fill, outline = COLOURS[box.package]
    return (
        f'<rect x="{box.left}" y="{box.top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"'
        f' fill="{fill}" stroke="{outline}" stroke-width="1.5"/>\n'
        f'<text x="{box.centre}" y="{box.top + 25}" class="title">{escape(box.title)}</text>\n'
        f'<text x="{box.centre}" y="{box.top + 44}" class="note">{escape(box.note)}</text>\n'
    )


def draw_arrow(arrow: Arrow) -> str:
    path = "M" + " L".join(f"{x},{y}" for x, y in arrow.points)
    dashes = ' stroke-dasharray="5 4"' if arrow.optional else ""
    return f'<path d="{path}" class="arrow"{dashes} marker-end="url(#head)"/>\n'


def picture() -> str:
    """The whole SVG; its background is white, so that it is readable on a dark page too."""
    style = (
        "text { font-family: system-ui, sans-serif; text-anchor: middle; fill: #111827 }\n"
        ".title { font-size: 16px; font-weight: 600 }\n"
        ".note { font-size: 12px; fill: #374151 }\n"
        ".arrow { fill: none; stroke: #4b5563; stroke-width: 1.6 }\n"
    )
    head = (
        '<marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path d="M0,0 L10,5 L0,10 z" fill="#4b5563"/></marker>'
    )
    label = "The DAG: web pages become a corpus; coder, base, instruct and RL model; evaluation and two reports"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{label}">\n<title>{label}</title>\n<style>\n{style}</style>\n<defs>{head}</defs>\n',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#ffffff"/>\n',
    ]
    parts += [draw_arrow(arrow) for arrow in arrows()]
    parts += [draw_box(box) for box in BOXES.values()]
    return "".join(parts) + "</svg>\n"


if __name__ == "__main__":
    Path(__file__).with_name("dag.svg").write_text(picture(), encoding="utf-8")
