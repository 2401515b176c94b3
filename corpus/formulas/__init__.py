"""Find every formula of a page, however it is marked up, and write it as TeX.

placeholders.py     the formulas of one page, kept apart while its text is being made
carriers.py         formulas in the markup: MathJax, KaTeX, MathML, images, data attributes
inline_tex.py       formulas in the running text: TeX between dollar signs and other delimiters
mathml.py           MathML to TeX
asciimath.py        AsciiMath to TeX
tex_symbols.py      Unicode characters as TeX commands
lone_characters.py  single characters between two tags, which the HTML library would drop
"""
