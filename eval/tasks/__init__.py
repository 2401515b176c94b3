"""The benchmarks: what they are, how their rows are read, what the paper reached on them.

declarations.py   one entry for each benchmark: source, fields, kind of answer, shots
rows.py           from a row of a file to a problem
fetch.py          from the source to a file, once
paper_results.py  DeepSeekMath's own scores
"""
