"""One round of mining (DeepSeekMath section 2.1): `corpus.round` is the loop, these are its parts.

given.py           what a round starts from
features.py        a page as the classifier sees it
training_set.py    which pages train the classifier, and which measure it
fasttext_model.py  training and scoring with fastText, without its traps
score.py           scores of all pages
passes.py          what a round needs of all texts, read here or by jobs on other machines
selection.py       which pages are collected, which domains are mathematical
calibration.py     how good the classifier is on held-out pages
annotations.py     accepted and rejected URL prefixes: the file and its meaning
url_prefixes.py    the prefixes of mathematical domains, and the automatic annotator
math_evidence.py   how mathematical a text is to that annotator; its words: glossary.yaml
round_tables.py    what a round reads into DuckDB and writes from it
"""
