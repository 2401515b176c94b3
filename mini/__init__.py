"""The world in a box: word problems, code, prose and a small web, generated offline from one seed, for `config/mini`.

problems.py     word problems with worked solutions
code.py         Python source, from the running interpreter's library
prose.py        everyday prose, and held-out texts of every kind
web.py          the crawl: WARC files, seed addresses and the truth about each page
coder.py        the checkpoint that everything starts from, trained on the above
templates/      `{slot}` templates and YAML data files: every word list and sentence of this package is read by it
word_problems/  templates of word problems
text/           mathematical and everyday texts
crawl/          pages, sites and WARC records

All of these write the same bytes for the same seed: the order of the random draws is part of their behaviour, and so
is the order of the entries of every YAML file.
"""
