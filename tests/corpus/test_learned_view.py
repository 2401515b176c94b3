"""What other domains teach: a page is never judged by its own domain, and a repeated menu confirms nothing."""

import numpy as np

from corpus.mining import learned_view
from corpus.mining.learned_view import Sample, features_of

SUBJECT = "theorem proof lemma group ring module ideal field kernel image".split()
OTHER = "shirt price ticket garden weather kitchen travel music dinner street".split()
COMMON = "the of and a to in is it on for with as by at from this that".split()


def text(words: list[str], seed: int, menu: str = "") -> str:
    generator = np.random.default_rng(seed)
    chosen = generator.choice(words, 30).tolist() + generator.choice(COMMON, 60).tolist()
    generator.shuffle(chosen)
    return f"{menu} {' '.join(chosen)}"


def sample(pages: list[tuple[str, str, str]]) -> Sample:
    """Of (domain, text, "subject", "other" or "")."""
    kinds = [kind for _, _, kind in pages]
    return Sample(
        features=[features_of(said) for _, said, _ in pages],
        domain=np.array([domain for domain, _, _ in pages]),
        subject=np.array([kind == "subject" for kind in kinds]),
        other=np.array([kind == "other" for kind in kinds]),
    )


def web() -> list[tuple[str, str, str]]:
    pages = []
    for number in range(6):
        for page in range(12):
            seed = 100 * number + page
            pages.append((f"s{number}.example", text(SUBJECT, seed), "subject"))
            pages.append((f"o{number}.example", text(OTHER, 5000 + seed), "other"))
    return pages


def test_pages_of_unlabelled_domains_are_known_by_what_others_say():
    pages = web()
    pages += [("new.example", text(SUBJECT, 9000 + n), "") for n in range(10)]
    pages += [("shop.example", text(OTHER, 9500 + n), "") for n in range(10)]
    scores = learned_view.cross_fitted(sample(pages))
    assert (scores[-20:-10] >= 0).mean() > 0.8
    assert (scores[-10:] >= 0).mean() < 0.3


def test_a_domain_s_own_menu_does_not_make_its_pages_of_the_subject():
    # All pages of one domain of garden talk are wrongly taken for the subject; they share a menu.
    pages = web()
    menu = "home about imprint archive " * 3
    pages += [("wrong.example", text(OTHER, 9000 + n, menu), "subject") for n in range(10)]
    scores = learned_view.cross_fitted(sample(pages))
    assert (scores[-10:] >= 0).mean() < 0.5


def test_the_order_of_pages_changes_no_score_and_one_kind_alone_teaches_nothing():
    pages = web()
    order = np.random.default_rng(0).permutation(len(pages))
    scores = learned_view.cross_fitted(sample(pages))
    shuffled = learned_view.cross_fitted(sample([pages[place] for place in order]))
    assert np.allclose(shuffled, scores[order])
    assert (learned_view.cross_fitted(sample([p for p in pages if p[2] == "subject"])) < 0).all()


def test_digits_are_all_the_same_and_an_empty_page_has_no_features():
    assert np.array_equal(features_of("x = 12").columns, features_of("x = 98").columns)
    assert len(features_of("").columns) == 0
