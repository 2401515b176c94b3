"""Whether two parsed answers mean the same.

compare.py                `same_formula`: which rule decides
comparison.py             how the parts of two answers are compared, by every rule
lists.py                  lists and sets
relations.py              equations and inequalities
rows.py                   tuples, vectors, intervals, matrices
sets.py                   sets of numbers in any notation
residues.py, ratios.py    17 mod 5; 3 : 4
assignments.py            values for several unknowns, against tuples
approximations.py         an exact value with its approximation behind
canonical.py              rewrites an answer into the form that is compared
left_hand_side.py         names on the left of "=": x, f(x), AB, area
scalars.py                numbers and functions of symbols, by value
real_sets.py              sets of real numbers in any notation
rational_inequalities.py  inequalities of higher degree
pieces.py                 pieces of the real line: union, intersection, equality
"""
