"""The built-in world of medicine: invented cases with structured answers, and a web among whose pages some are medical.

table.py     the invented conditions, findings and treatments (conditions.yaml)
cases.py     a case: drawn, told as a question, judged (the gold), worked out (an answer)
problems.py  cases and worked answers as files
pages.py     medical pages
web.py       the crawl

Everything is invented: conditions, laboratory values and drugs do not exist. None of it is medical advice, and every
page that is written says so.
"""
