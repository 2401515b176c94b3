"""Benchmark problems on web pages: which texts are guarded, and how they are found (DeepSeekMath section 2.1).

benchmark_texts.py  benchmark files of any shape to questions, answers and options
normalise.py        one text for one wording: without markup and TeX
ngrams.py           texts to grams and rolling hashes of n-grams
ngram_table.py      a table of n-grams, and the search for them
edited.py           edited copies of questions
candidates.py       pages with a question's numbers in its order, for a person to read
index.py            the n-grams that are evidence of a leak, and the search of pages for them
"""
