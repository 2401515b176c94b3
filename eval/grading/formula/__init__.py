"""Formulas in answers: read them, and compute their values within static limits.

vocabulary.py     the words of formulas in LaTeX, Python and other languages; data only
tokens.py         cut a cleaned answer into tokens
nodes.py          the syntax tree, and how to walk through it
construction.py   what the parser builds of parts: literals, mixed numbers, subscripts …
reader.py         what all rules of the parser use: the place in the tokens, the limits on depth
binders.py        rules for sums, products, integrals and limits
environments.py   rules for matrices and systems
commands.py       rules for what a command begins: fractions, roots, functions, decorated letters
atoms.py          rules for numbers, letters and brackets
parser.py         rules from powers to lists, and `parse_formula`
exact_value.py    the rational value of a formula without symbols
numeric_value.py  the value at one point in high precision; integrals, limits and endless sums
derivative.py     derivatives by rule
same_value.py     whether two formulas have the same value, at fixed points
"""
