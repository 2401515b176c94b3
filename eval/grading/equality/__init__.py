"""Whether two parsed answers mean the same.

compare.py                `same_formula`: lists, sets, tuples, intervals, matrices, relations
assignments.py            values for several unknowns, against tuples
approximations.py         an exact value with its approximation behind
canonical.py              rewrites an answer into the form that is compared
left_hand_side.py         names on the left of "=": x, f(x), AB, area
scalars.py                numbers and functions of symbols, by value
real_sets.py              sets of real numbers in any notation
rational_inequalities.py  inequalities of higher degree
pieces.py                 pieces of the real line: union, intersection, equality
"""
