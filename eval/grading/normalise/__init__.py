"""One spelling for the many ways to write the same answer.

clean.py            `clean(text)`: all of the following, in order; the result is still LaTeX
plain_unicode.py    Unicode mathematics, full-width characters, digits of other scripts
wrappers.py         delimiters, emphasis and quotation marks around an answer
latex.py            markup that changes nothing, and one command for each meaning
written_numbers.py  separators, repeating decimals, ratios, inches, relations in words
verbal.py           numbers in words, yes and no, times of day, set phrases
numbers.py          exact numbers, and when two of them count as the same
units.py            units of measurement: split off, compared, converted
asides.py           reasons, remarks and approximations behind a value
"""
