"""Programs that models write: found in their text, run, tested.

code_blocks.py     Python blocks of a solution, and what the model is shown of their output
unit_tests.py      HumanEval and MBPP: the candidate function and the verdict of its tests
isolated_tests.py  tests that never share a process with the candidate
value_codec.py     Python values as JSON, from one of these processes to the other
"""
