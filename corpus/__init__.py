"""From web archives to a corpus of mathematical pages; each module here is a command of that stage.

commoncrawl.py     which WARC files of a Common Crawl are mined
extract.py         archives to pages: text, formulas as TeX, language, origin
hash_shards.py     signatures of the pages of some shards
dedup.py           pages that appear more than once
read_shards.py     texts of certain pages of some shards
score_shards.py    scores of the pages of some shards
round.py           one round of mining with a fastText classifier
annotate_page.py   domains and URL prefixes for a person to annotate between two rounds
decontaminate.py   pages that contain benchmark problems
clean_shards.py    the collected pages of some shards without benchmark problems
final.py           the corpus after the last round
measure_truth.py   precision and recall where the truth about the pages is known
report.py          statistics of the corpus as one HTML page
publish.py         the corpus to the Hugging Face Hub

archives/          reading WARC and ARC files
html/              HTML pages to text
formulas/          formulas to TeX
tables/            the Parquet tables that the commands write and read
duplicates/        MinHash, bands and clusters of near-duplicates
mining/            the classifier, scores, and the selection of pages
leaks/             n-grams that pages share with benchmarks
reporting/         the parts of the report
"""
