"""Texts of several paragraphs: mathematics with formulas and worked examples, and everyday prose without any.

topics.py       topics of lecture notes and the calculations that belong to them (topics.yaml)
mathematics.py  blocks of mathematical text around one topic (mathematics.yaml)
prose.py        stories, recipes, travel notes and letters (prose.yaml)
"""
