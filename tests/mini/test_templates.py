"""Templates and the data files of the built-in world: every slot has a value, every file counts, mistakes are named."""

import ast
import re
from pathlib import Path
from random import Random

import pytest

import mini
from mini.crawl import math_pages, phrases, site_chrome, sites, subject
from mini.templates.data_files import Lines, data_class, read_data
from mini.templates.slots import NUMBERS, SLOT, expand, fill
from mini.text import mathematics, prose
from mini.text.topics import DRAWS, topics
from mini.word_problems.registry import templates
from mini.word_problems.template import LANGUAGES, vocabulary
from pipeline.artifacts.code_digest import declared_data
from pipeline.errors import UserError

FOLDER = Path(mini.__file__).parent


def slots_of(*texts: str) -> set[str]:
    return {slot for text in texts for slot in SLOT.findall(text)}


# Slots


def test_only_names_in_braces_are_slots_and_braces_around_a_slot_stay():
    assert (
        fill(r"$\frac{{a}}{{b}}$ {margin:0} {c-d}", a=3, b=5) == r"$\frac{3}{5}$ {margin:0} {c-d}"
    )


def test_values_are_not_searched_for_slots():
    assert fill("{title}: {n}", title="{n} and {gone}", n=2) == "{n} and {gone}: 2"


def test_a_slot_without_a_value_is_an_error():
    with pytest.raises(KeyError, match="gone"):
        fill("{gone}")
    with pytest.raises(KeyError, match="gone"):
        expand(Random(0), "{gone}", {})


def test_words_may_hold_slots_and_values_come_before_words():
    words = {"dish": ("{food} soup",), "food": ("pea",)}
    assert expand(Random(0), "{dish}", words) == "pea soup"
    assert expand(Random(0), "{dish}", words, food="bean") == "bean soup"


def test_a_slot_that_occurs_twice_is_drawn_twice():
    words = {"letter": tuple("abcdefgh")}
    drawn = {expand(Random(seed), "{letter}{letter}", words) for seed in range(30)}
    assert any(first != second for first, second in drawn)


# Data files


@data_class
class Form:
    openings: Lines
    count: int = 0


def form_file(folder: Path, text: str) -> Path:
    path = folder / "forms.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_block_is_a_text_a_line_and_a_list_is_a_list(tmp_path):
    path = form_file(
        tmp_path, 'a:\n  openings: |\n    "One": two\n\n    三\nb:\n  openings: [x, y]\n'
    )
    forms = read_data(path, dict[str, Form])
    assert forms["a"].openings == ('"One": two', "三")
    assert forms["b"].openings == ("x", "y")


@pytest.mark.parametrize(
    "text, place",
    [
        ("a:\n  opening: |\n    x\n", "a > opening"),
        ("a:\n  openings: |\n    x\n  count: many\n", "a > count"),
        ("a:\n  openings: [1, 2]\n", "a > openings > 0"),
        ("a: [", "not YAML"),
    ],
)
def test_what_does_not_fit_is_named_with_file_and_place(tmp_path, text, place):
    path = form_file(tmp_path, text)
    with pytest.raises(UserError, match=rf"forms\.yaml: {place}"):
        read_data(path, dict[str, Form])


def test_every_data_file_is_declared_by_a_module():
    declared = set()
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        declared |= {data.resolve() for data in declared_data(tree, path)}
    assert declared == set(FOLDER.rglob("*.yaml"))


# The content of the data files


@pytest.mark.parametrize("template", templates(), ids=lambda t: f"{t.family}-{t.name}")
def test_wordings_of_a_problem_tell_the_numbers_that_its_steps_read(template):
    cast = {"name", "other", "things", "others"}
    terms = {term for step in template.steps for term in (step.left, step.right)}
    read = terms & set(template.numbers)
    assert all(term in read or term.isdigit() or re.fullmatch(r"r\d", term) for term in terms)
    for language in LANGUAGES:
        for wording in (*template.problem[language], template.page[language]):
            assert slots_of(wording) - cast == read


def test_names_of_problem_templates_are_unique():
    names = [(template.family, template.name) for template in templates()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(subject._subjects()))
def test_every_slot_of_a_subject_has_words_or_is_a_number(name):
    about = subject.subject(name)
    texts = (*about.titles, *about.headings, *about.sentences, *about.rows, *about.listings)
    words = [word for words in about.words.values() for word in words]
    assert slots_of(*texts, about.byline, *words) <= set(about.words) | set(NUMBERS)


def test_every_slot_of_remarks_has_words_or_is_a_number():
    remarks = math_pages._remarks()
    for language in LANGUAGES:
        assert slots_of(*remarks.sentences[language]) <= set(remarks.words) | set(NUMBERS)


def test_every_slot_of_an_example_is_a_number_that_its_function_draws():
    for topic in topics():
        for example in topic.example.values():
            assert slots_of(example.text) <= set(DRAWS[example.numbers](Random(0)))


def test_every_slot_of_prose_has_two_words():
    for language in LANGUAGES:
        words = prose._languages()[language].words
        known = {"name", "other", "things", *words, *(f"{slot}2" for slot in words)}
        for form in prose._languages()[language].forms.values():
            assert slots_of(*form.openings, *form.middles, *form.closings) <= known


def test_phrases_have_the_slots_that_their_users_fill():
    for language in LANGUAGES:
        words = phrases.phrases(language)
        common = set(subject.common_words()[language]) | set(NUMBERS)
        assert slots_of(words.byline) <= common | {"number"}
        assert slots_of(*words.lecture_titles, *words.question_titles) <= {"title", "n", "k"}
        assert slots_of(*words.copy_notes) <= {"day"}
        assert slots_of(words.leaked_answer, words.leaked_solution) == {"answer"}

        worked = mathematics._phrases()[language]
        for text in worked.running_examples:
            assert slots_of(text) == {"question", "steps", "answer"}
        assert set(vocabulary(language).operations) == set("+-*/%")


def test_sites_name_subjects_themes_and_layouts_that_exist():
    data = sites._data()
    themes = site_chrome._chrome().themes
    assert sites.SEED_GROUP in {group.name for group in data.groups}
    assert sum(group.share for group in data.groups) == pytest.approx(1)
    for group in data.groups:
        assert set(group.themes) <= set(themes)
        for layout in group.layouts:
            sections = data.layouts[layout]
            assert sum(section.share for section in sections) == pytest.approx(1)
            for section in sections:
                if section.mathematics:
                    assert math_pages.article(Random(0), section.subject, section.language)
                else:
                    assert subject.subject(section.subject).language == section.language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", sorted(site_chrome._chrome().themes))
def test_every_theme_shows_the_article_and_fills_all_its_slots(theme, language):
    page = site_chrome.Page("A < B", "Site", language, "<p>{body}</p>", "", "utf-8", ())
    html = site_chrome.render(page, theme, Random(0))
    assert "<p>{body}</p>" in html and "<title>A &lt; B - Site</title>" in html
    assert slots_of(html.replace("{body}", "")) == set()
