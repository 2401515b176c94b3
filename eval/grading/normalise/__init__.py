"""One spelling for the many ways to write the same answer.

asides.py   reasons, remarks and approximations behind a value
latex.py    `clean(text)`: Unicode, delimiters, fonts, separators; the result is still LaTeX
numbers.py  exact numbers, and when two of them count as the same
units.py    units of measurement: split off, compared, converted
verbal.py   numbers in words, yes and no, times of day, set phrases
"""
