"""A DOCTYPE's internal subset is no text of the page; and cards have tags by what a run is about."""

import time

import pytest

from corpus.html.repair import without_subset
from pipeline.notice import SUBJECT_VARIABLE, is_about_mathematics

PAGE = "<html><p>a[0] ]> b</p></html>"


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY nbsp "&#160;">',
        "<!ENTITY a \"]>\"> <!ENTITY b '>'>",
        "<!-- it's ]> <html> -->",
        '<?x "]> ?>',
    ],
)
def test_a_subset_goes(subset):
    assert without_subset(f"<!DOCTYPE html [{subset}]\n>{PAGE}") == f"<!DOCTYPE html >{PAGE}"


def test_an_unterminated_subset_ends_where_the_page_begins():
    assert without_subset(f'<!DOCTYPE html [<!ENTITY a "x>{PAGE}') == f"<!DOCTYPE html >{PAGE}"
    assert without_subset(f"<!DOCTYPE html>{PAGE}") == f"<!DOCTYPE html>{PAGE}"


@pytest.mark.parametrize("piece", ["<!--", "<?", '"', "[", "<!ENTITY"])
def test_a_hostile_subset_takes_no_time(piece):
    start = time.process_time()
    without_subset("<!DOCTYPE html [" + piece * 50_000)
    assert time.process_time() - start < 1


def test_the_subject_of_a_run(monkeypatch):
    assert is_about_mathematics()
    monkeypatch.setenv(SUBJECT_VARIABLE, "medicine")
    assert not is_about_mathematics()
