"""The built-in web: which pages there are, what they say, how sites dress them up, and how a crawler archives them.

sites.py          hosts with their sections (sites.yaml)
subject.py        subjects: sentences and the words that fill them (subjects/*.yaml)
phrases.py        phrases that pages of all subjects share (phrases.yaml)
article.py        what a page says, as blocks, and their HTML
math_pages.py     articles that are mathematics
other_pages.py    articles that are not
leaks.py          benchmark problems that leak onto pages
plan.py           all pages of the web: originals, copies, leaks, errors and other files
math_markup.py    nine ways in which pages carry formulas
tex_to_mathml.py  the parser that these need
site_chrome.py    what a site puts around an article (site_chrome.yaml)
damage.py         what goes wrong on the way to the archive
render.py         a planned page as an HTTP response
warc_writer.py    WARC files
"""
