"""Find the final answer in a solution: `extract(text) -> Extraction(answer, method)`.

answer.py         the order of the rules: boxes, announcements, program output, then the text's end
announcements.py  "the answer is", "####", 答案是 and their like in the benchmarks' languages
unannounced.py    the answer of a text that announces none
wordings.py       values, inequalities and points that a last sentence states in words
options.py        the option that a text decides for
sentences.py      an answer that is a whole sentence
math_spans.py     numbers and delimited formulas in a text, and what a derivation ends with
extraction.py     what extraction returns
"""
