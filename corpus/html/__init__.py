"""Turn an HTML page into text with its formulas as TeX, and into a row of the page table.

page.py       from an archive record to a row, or to the one reason why it is none
main_text.py  the text of a page: main content, formulas, fenced code, no boilerplate
nesting.py    how deep the elements of a page are nested
language.py   which natural language the text is in
watchdog.py   a child process that can be killed when a page hangs or crashes the extractor
"""
