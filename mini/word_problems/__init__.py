"""MiniMath: word problems of one to four steps, as templates of arithmetic with wordings in English and Chinese.

template.py  a template, a case (a template with numbers, solved), and how a case is asked, solved and programmed
registry.py  all templates, and drawing a case of a level
*.yaml       the templates by family, and the names and things that all of them share
"""
