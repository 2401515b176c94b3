"""Texts with slots, and the YAML files that hold them: the one way in which the built-in world keeps its words.

slots.py       a `{slot}` of a text becomes a given value, or a random word or number
data_files.py  a YAML file becomes frozen dataclasses; what does not fit is an error that names the place
"""
