"""The world in a box: word problems, code, prose and a small web, generated offline from one seed.

problems.py     word problems with worked solutions
code.py         Python source, from the running interpreter's library
prose.py        everyday prose, and held-out texts of every kind
web.py          the crawl: WARC files, seed addresses and the truth about each page
coder.py        the checkpoint that everything starts from, trained on the above (coder_training.py)
templates/      `{slot}` templates and YAML data files
word_problems/  templates of word problems
text/           mathematical and everyday texts
crawl/          pages, sites and WARC records

All words are in YAML files beside the modules that read them, as templates with `{slot}`s (templates/slots.py); a block
of a YAML file is a list of texts, one a line. Python draws, computes and orders. The order of the random draws, and so
that of the entries of every YAML file, is part of what a seed means: the same seed gives the same bytes.
"""
