"""Turn an HTML page into text with its formulas as TeX, and into a row of the page table.

page.py           from an archive record to a row, or to the one reason why it is none
main_text.py      the text of a page: main content, formulas, fenced code, no boilerplate
repair.py         the HTML before the parse: nothing hidden, scripts gone, links and headings marked
boilerplate.py    parts of the tree that name themselves as no content
content_lines.py  lines of the text that are no content
lines.py          a line and what the markup said about it
closing_words.py  the words that tell of comments, other articles, buttons and notices
nesting.py        how deep the elements of a page are nested
language.py       which natural language the text is in
watchdog.py       a child process that can be killed when a page hangs or crashes the extractor
"""
