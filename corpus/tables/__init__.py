"""The tables of the corpus stage: their columns, and how they are read and written.

pages.py         the table of extracted pages and that of rejected ones; keys of URLs and texts
urls.py          a URL's canonical form, host and registrable domain
shards.py        all shards of a crawl, and the pages of each that deduplication kept
rounds.py        which rounds of mining belong to a run's corpus
database.py      DuckDB that spills to disk
final.py         columns of the final corpus and of the removal log; measures of a text's quality
merge.py         finished shards to one sorted data set
leak_counts.py   what was removed, by benchmark
provenance.py    the version of the program
dataset_card.py  the README of the final corpus
"""
