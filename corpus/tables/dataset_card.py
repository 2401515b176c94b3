"""The dataset card of the final corpus: what it is, how it was made, what each column holds."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import yaml

from corpus.tables.final import DESCRIPTIONS, FINAL
from corpus.tables.leak_counts import EDITED, EXACT, WHOLE, LeakCount
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import file_digest, write_text
from pipeline.config.corpus import Decontamination
from pipeline.notice import is_about_mathematics, notice

REPOSITORY = "you/your-corpus"
"""Stands for the data set's name on the Hub until `corpus.publish` knows it."""

CONTACT = "the Community tab of this data set on the Hugging Face Hub"
"""Where people write to; `corpus.publish --contact` puts another address in its place."""

# The Hub's size categories: below so many rows it is called so.
_SIZES = (
    (1e3, "n<1K"),
    (1e4, "1K<n<10K"),
    (1e5, "10K<n<100K"),
    (1e6, "100K<n<1M"),
    (1e7, "1M<n<10M"),
    (1e8, "10M<n<100M"),
)
_COMMON_CRAWL = "CC-MAIN"
_COMMON_CRAWL_TERMS = "https://commoncrawl.org/terms-of-use"
_DTYPES = {pa.float64(): "float64", pa.float32(): "float32"}  # Arrow prints them as C does


@dataclass(frozen=True, slots=True)
class Made:
    """What a card tells beside the contents of the corpus.

    Attributes:
        counts: the counts of the final corpus's manifest.
        leaks: what was removed, by benchmark, as the report counts it.
        duplicates: the counts of the deduplication's manifest.
        settings: what counted as a leaked problem.
        built_in_world: whether the pages were written by this project's program.
        commit: version of the program.
        code: digest of the modules that wrote the corpus.
    """

    counts: dict
    leaks: list[LeakCount]
    duplicates: dict
    settings: Decontamination
    built_in_world: bool
    commit: str
    code: str

    @property
    def is_common_crawl(self) -> bool:
        if self.built_in_world:
            return False
        return any(name.startswith(_COMMON_CRAWL) for name in self.counts["crawls"])


def write_card(folder: Path, made: Made) -> None:
    """Write `folder`/README.md in the form the Hugging Face Hub reads: YAML front matter, then Markdown."""
    front = yaml.safe_dump(_front_matter(folder, made), sort_keys=False, allow_unicode=True)
    write_text(folder / "README.md", f"---\n{front}---\n\n{_body(made)}")


# ---- Front matter


def _front_matter(folder: Path, made: Made) -> dict:
    counts = made.counts
    # The Hub knows codes of two letters; "und" and a language of a few stray pages are left out.
    languages = []
    for code, pages in counts["languages"].items():
        if len(code) == 2 and pages * 1000 >= counts["pages"]:
            languages.append(code)

    size = next((name for limit, name in _SIZES if counts["pages"] < limit), "100M<n<1B")
    every_part = {"split": "train", "path": "part-*.parquet"}

    return {
        "pretty_name": _title(made),
        **_licence(made),
        "language": languages,
        "task_categories": ["text-generation"],
        "size_categories": [size],
        "tags": _tags(made),
        "dataset_info": _dataset_info(folder, counts),
        "configs": [{"config_name": "default", "data_files": [every_part]}],
    }


def _title(made: Made) -> str:
    return "Pages of a small made-up web" if made.built_in_world else "Mathematical web pages"


def _licence(made: Made) -> dict[str, str]:
    if made.built_in_world:
        return {"license": "apache-2.0"}
    terms = _COMMON_CRAWL_TERMS if made.is_common_crawl else "README.md"
    return {
        "license": "other",
        "license_name": "terms-of-the-crawled-pages",
        "license_link": terms,
    }


def _tags(made: Made) -> list[str]:
    tags = ["mathematics", "pretraining"] if is_about_mathematics() else ["pretraining"]
    if made.built_in_world:
        tags.append("synthetic")
    else:
        tags.append("web")
    if made.is_common_crawl:
        tags.append("common-crawl")
    return tags


def _dataset_info(folder: Path, counts: dict) -> dict:
    """Columns and sizes, and a digest of the rows.

    The `datasets` library keeps a cache by the folder's name and this entry: without the digest it
    would give the rows of one corpus for another of the same name and size.
    """
    parts = sorted(folder.glob("part-*.parquet"))
    digests = [file_digest(part) for part in parts]
    features = [{"name": field.name, "dtype": _dtype(field.type)} for field in FINAL]
    split = {"name": "train", "num_bytes": counts["bytes"], "num_examples": counts["pages"]}
    return {
        "config_name": "default",
        "description": f"Rows {fingerprint(digests)}",
        "features": features,
        "splits": [split],
        "download_size": sum(part.stat().st_size for part in parts),
        "dataset_size": counts["bytes"],
    }


def _dtype(kind: pa.DataType) -> str:
    return _DTYPES.get(kind, str(kind))


# ---- Text


def _body(made: Made) -> str:
    counts = made.counts
    most_common = list(counts["languages"].items())[:12]
    languages = ", ".join(f"{code} {pages:,}" for code, pages in most_common)
    columns = "\n".join(
        f"| `{field.name}` | {field.type} | {DESCRIPTIONS[field.name]} |" for field in FINAL
    )

    first = f"\n**{notice()}**\n" if notice() else ""
    return f"""# {_title(made)}
{first}
{_summary(made)}

| | |
| --- | ---: |
| pages | {counts["pages"]:,} |
| tokens (estimate) | {counts["tokens"]:,} |
| characters | {counts["characters"]:,} |
| formulas | {counts["formulas"]:,} |

Pages by language: {languages or "none"}.

## Use

From the Hub:

```python
from datasets import load_dataset

corpus = load_dataset("{REPOSITORY}", split="train", streaming=True)
```

From a copy on your disk, in the folder that holds this file:

```python
from datasets import load_dataset

corpus = load_dataset("parquet", data_files="part-*.parquet", split="train")
```

## Columns

The first sixteen columns have the names and types of FineMath's.

| column | type | content |
| --- | --- | --- |
{columns}

The files are sorted by `doc_id`, which is a hash: the order carries no meaning, and neighbouring pages are unrelated.

{_provenance(made)}

{_removed(made)}

## Limits

Text was extracted by a program, with the errors that programs make. Nothing was filtered for quality or truth, and
personal data that appeared on a page is still there.

{_rights(made)}

## Citation

The method:

```bibtex
@article{{shao2024deepseekmath,
  title   = {{DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models}},
  author  = {{Shao, Zhihong and Wang, Peiyi and Zhu, Qihao and Xu, Runxin and Song, Junxiao and Bi, Xiao and
             Zhang, Haowei and Zhang, Mingchuan and Li, Y. K. and Wu, Y. and Guo, Daya}},
  journal = {{arXiv preprint arXiv:2402.03300}},
  year    = {{2024}}
}}
```

To cite this data set, name its repository ({REPOSITORY}) and the version of its files that you used.
"""


def _summary(made: Made) -> str:
    loop = (
        "by the method of DeepSeekMath (Shao et al., arXiv 2402.03300, section 2.1): a fastText classifier\n"
        "ranks all pages, domains with many hits are found, URL prefixes in them are annotated, the pages\n"
        "under those prefixes join the training examples, and the next round begins."
    )
    if made.built_in_world:
        return (
            "Pages of a small web that a program made up, for tests and demonstrations: no site behind these\n"
            "addresses exists, and nothing here was crawled. The mathematical ones among them were selected\n"
            f"{loop}"
        )
    where = "Common Crawl" if made.is_common_crawl else "web archives"
    return f"Web pages about mathematics, mined from {where} {loop}"


def _provenance(made: Made) -> str:
    crawls = "\n".join(f"| {name} | {pages:,} |" for name, pages in made.counts["crawls"].items())
    settings = json.dumps(made.settings.model_dump(mode="json"), sort_keys=True)
    return f"""## Provenance

| archives | pages of the corpus |
| --- | ---: |
{crawls}

Made by commit {made.commit} of the program (code digest {made.code}) in {made.counts["rounds"]} rounds of mining.
`manifest.json` holds the digests of all inputs and the settings of the last step, which were
`{settings}`."""


def _removed(made: Made) -> str:
    counts, settings, copies = made.counts, made.settings, made.duplicates
    rows = []
    for entry in made.leaks:
        rules = entry["rules"]
        rows.append(
            f"| {entry['benchmark']} | {entry['items'] or 0:,} | {entry['found']:,} | {rules[EXACT]:,} "
            f"| {rules[WHOLE]:,} | {rules[EDITED]:,} | {entry['pages']:,} |"
        )
    table = "\n".join(rows)

    return f"""## What was removed

Duplicates, before the first round: {copies.get("url", 0):,} pages with an address that occurs again,
{copies.get("text", 0):,} with a text that occurs again, {copies.get("near", 0):,} near duplicates, of
{copies.get("pages", 0):,} extracted pages.

Benchmark problems, after the last round: {counts["removed"]:,} of {counts["collected"]:,} collected pages
({counts["removed_tokens"]:,} tokens). A page was removed

- when it shares {settings.ngram} consecutive grams with a question or a full solution of a benchmark;
- when it holds a whole question of {settings.shortest} to {settings.ngram - 1} grams;
- when it holds an edited copy of a question of at least {settings.edited_words} words: at least
  {settings.edited_share:.0%} of the question, weighted by the rarity of its words, in the same order.

A gram is a word, a number or a Chinese character, after markup, TeX and Unicode forms have been unified. An n-gram
counts with at least {settings.ngram_words} words in it, and when at most {settings.stock_items} items of a benchmark
share it. Answers count only as full solutions, of at least {settings.solution_grams} grams. A page counts for
every benchmark whose items it holds.

| benchmark | items | found | n-gram | whole text | edited copy | pages removed |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
{table}

Paraphrases and translations of benchmark problems are not found. Pages that have the numbers of a benchmark question
in its order, as a translation would, were kept and are listed for a person to read: {counts["candidates"]:,} pages."""


def _rights(made: Made) -> str:
    if made.built_in_world:
        return f"""## Licence and contact

The pages were written by the program and come under its licence, Apache-2.0. Questions go to {CONTACT}."""

    terms = f" The use of Common Crawl is subject to its [terms]({_COMMON_CRAWL_TERMS})."
    return f"""## Licence, contact and opt-out

The pages belong to their authors and publishers, and this card grants no rights in them.{terms * made.is_common_crawl}
Authors and publishers who do not want their pages here, and people who find personal data of theirs, write to
{CONTACT} and name the addresses or the domain: the pages are then taken out of the next version."""
