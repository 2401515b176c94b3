"""Decide whether an answer is right: `grade(gold, solution) -> Verdict`.

grader.py   the verdict on one solution: extract, normalise, compare
extract/    the final answer in a solution
normalise/  one spelling for the many ways to write an answer
equality/   whether two answers mean the same
formula/    formulas: parse, evaluate exactly or to many digits
"""
