"""One round of mining (DeepSeekMath section 2.1): `corpus.round` is the loop, these are its parts.

given.py           what a round starts from
features.py        a page as the classifier sees it
training_set.py    which pages train the classifier, and which measure it
fasttext_model.py  training and scoring with fastText, without its traps
score.py           scores of all pages
passes.py          what a round needs of all texts, read here or by jobs on other machines
selection.py       which pages are collected, which domains are mathematical
calibration.py     how good the classifier is on held-out pages
annotations.py     accepted, rejected and undecided URL prefixes: the file and its meaning
annotator.py       the automatic annotator: which sample pages are of the subject, in two views
math_evidence.py   its view of what is known beforehand; the words: glossary.yaml
learned_view.py    its view of what the pages of other domains teach
calls.py           what it says about single pages, and the file that keeps it
url_prefixes.py    the prefixes of mathematical domains, and its decisions on them
round_tables.py    what a round reads into DuckDB and writes from it
"""
