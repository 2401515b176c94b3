"""The dataset card of the final corpus: what it is, how it was made, what each column holds."""

from pathlib import Path

import yaml

from corpus.tables.final import DESCRIPTIONS, FINAL
from pipeline.artifacts.write import write_text
from pipeline.config.corpus import Decontamination

# The Hub's size categories: below so many rows it is called so.
_SIZES = (
    (1e3, "n<1K"),
    (1e4, "1K<n<10K"),
    (1e5, "10K<n<100K"),
    (1e6, "100K<n<1M"),
    (1e7, "1M<n<10M"),
    (1e8, "10M<n<100M"),
)


def write_card(folder: Path, counts: dict, settings: Decontamination) -> None:
    """Write `folder`/README.md in the form the Hugging Face Hub reads: YAML front matter, then Markdown.

    Args:
        counts: the counts of the final corpus's manifest.
        settings: what counted as a leaked problem.
    """
    front = yaml.safe_dump(_front_matter(counts), sort_keys=False, allow_unicode=True)
    write_text(folder / "README.md", f"---\n{front}---\n\n{_body(counts, settings)}")


def _front_matter(counts: dict) -> dict:
    # The Hub knows codes of two letters; "und" and a language of a few stray pages are left out.
    languages = []
    for code, pages in counts["languages"].items():
        if len(code) == 2 and pages * 1000 >= counts["pages"]:
            languages.append(code)

    size = next((name for limit, name in _SIZES if counts["pages"] < limit), "100M<n<1B")
    every_part = {"split": "train", "path": "part-*.parquet"}

    return {
        "pretty_name": "Mathematical web pages",
        "license": "other",
        "license_name": "terms-of-the-crawled-pages",
        "language": languages,
        "task_categories": ["text-generation"],
        "size_categories": [size],
        "tags": ["mathematics", "web", "pretraining", "common-crawl"],
        "configs": [{"config_name": "default", "data_files": [every_part]}],
    }


def _body(counts: dict, settings: Decontamination) -> str:
    most_common = list(counts["languages"].items())[:12]
    languages = ", ".join(f"{code} {pages:,}" for code, pages in most_common)

    columns = "\n".join(
        f"| `{field.name}` | {field.type} | {DESCRIPTIONS[field.name]} |" for field in FINAL
    )
    leaks = "\n".join(
        f"| {name} | {items:,} | {counts['removed_by_benchmark'].get(name, 0):,} |"
        for name, items in counts["benchmark_items"].items()
    )

    return f"""# Mathematical web pages

Web pages about mathematics, mined from a web crawl by the method of DeepSeekMath (Shao et al., arXiv 2402.03300,
section 2.1): a fastText classifier ranks all pages, domains with many hits are found, URL prefixes in them are
annotated, their pages join the training examples, and the next round begins. Duplicates are removed before the
first round, pages that hold benchmark problems after the last.

| | |
| --- | ---: |
| pages | {counts["pages"]:,} |
| tokens (estimate) | {counts["tokens"]:,} |
| characters | {counts["characters"]:,} |
| formulas | {counts["formulas"]:,} |

Pages by language: {languages or "none"}.

```python
from datasets import load_dataset

corpus = load_dataset("parquet", data_files="part-*.parquet", split="train", streaming=True)
```

## Columns

The first sixteen are those of FineMath, with its names.

| column | type | content |
| --- | --- | --- |
{columns}

Files are sorted by `doc_id`, a hash: the order carries no meaning, and neighbours are unrelated.

## Decontamination

A page that shares {settings.ngram} consecutive grams with a question or an answer of a benchmark was removed;
benchmark texts of {settings.shortest} to {settings.ngram - 1} grams are matched whole. A gram is a word, a number or
a Chinese character, after markup, TeX and Unicode forms are made one. An n-gram counts with at least
{settings.ngram_words} words in it, and when at most {settings.stock_items} items of a benchmark share it. Paraphrases
and translations are not found.

| benchmark | items | pages removed |
| --- | ---: | ---: |
{leaks}

{counts["removed"]:,} of {counts["collected"]:,} collected pages were removed ({counts["removed_tokens"]:,} tokens).

## Limits

The pages belong to their authors and publishers; this card grants no rights in them. Text was extracted by a program
and keeps its errors. Nothing was filtered for quality, truth, or personal data beyond what the pages' selection as
mathematics implies.
"""
