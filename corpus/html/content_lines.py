"""Which lines of a page's text are its content.

resiliparse keeps what stands above and below an article: menus, share buttons, other articles, forms
for comments, notices. On a page of prose, lines go that are known by what they say
(`corpus.html.closing_words`), by their links, or by their place before the first and after the last
paragraph. Lines with formulas or code always stay; from a page without paragraphs only notices go.
"""

from corpus.html.closing_words import (
    Notices,
    is_button,
    opens_bar,
    opens_comments,
    opens_shelf,
    words_of,
)
from corpus.html.lines import Line, read_lines

# A page with less prose is a list, a table or a form: there only notices go.
_LEAST_PROSE = 250  # letters
_LEAST_SHARE = 0.4  # of the letters outside links
_LONGEST_CLOSING = 70  # letters of a heading that closes an article
_LONGEST_NOTICE = 300  # letters
_BEFORE_COMMENTS = 0.25  # of the prose: what stands above is the article
_AFTER_SHELF = 0.15  # of the prose: less is the teasers of other articles, not the rest of this one
_PARAGRAPH = 150  # letters of a paragraph with which an article goes on
_NEXT_PARAGRAPH = 120
_LONG_PARAGRAPH = 400  # letters of one that needs no other beside it
_FEW_LINKS = 0.25
_LINKED_TAIL = 0.3  # of the letters below the last paragraph; less is examples with a link or two
_SHORT = 60  # letters of an item of a menu


def content_of(marked_text: str, text: str, may_hold_tex: bool) -> str:
    """The text of a page without the lines that are no content.

    Args:
        marked_text: as extracted, with the marks of `corpus.html.repair`.
        text: the same without marks.
        may_hold_tex: whether formulas may stand in the text with delimiters.
    """
    lines = read_lines(marked_text, text, may_hold_tex)
    page = _Page(lines)
    if page.is_prose():
        page.close_regions()
        page.drop_notices()
        page.drop_head()
        page.drop_tail()
    else:
        page.drop_notices()

    dropped = {line.number for line in lines if not line.keep}
    if not dropped:
        return text
    kept = [line for number, line in enumerate(text.split("\n")) if number not in dropped]
    return "\n".join(kept)


class _Page:
    """The lines of a page that has paragraphs."""

    def __init__(self, lines: list[Line]):
        self.lines = lines

        short_texts = [line.text for line in lines if line.length <= _LONGEST_NOTICE]
        notices = Notices(short_texts)
        self.notices = [_is_no_content(line, notices) for line in lines]

        # Letters of prose of each line: notices and teasers of other pages have none.
        self.prose = [line.prose for line in lines]
        for number, is_notice in enumerate(self.notices):
            if is_notice:
                self.prose[number] = 0
        for number in _teasers(lines, self.prose):
            self.prose[number] = 0

        paragraphs = [number for number, length in enumerate(self.prose) if length]
        self.first = paragraphs[0] if paragraphs else 0
        self.total = sum(self.prose)

        # Sums once for all, so that a page of ten thousand shelves costs no square of it.
        protected = [number for number, line in enumerate(lines) if line.is_protected]
        self.last_protected = protected[-1] if protected else -1
        self.paragraphs_from = _sums_to_the_end(self.prose)

    def is_prose(self) -> bool:
        outside_links = sum(line.length * max(0.0, 1 - line.links) for line in self.lines)
        return self.total >= max(_LEAST_PROSE, _LEAST_SHARE * outside_links)

    def close_regions(self) -> None:
        """Drop what stands under headings such as "Related articles" or "Leave a comment"."""
        position = self.first
        above = 0  # letters of prose
        while position < len(self.lines):
            end = self._end_of_region(position, above)
            self._drop(position, end)
            following = max(end, position + 1)
            above += sum(self.prose[position:following])
            position = following

    def _end_of_region(self, start: int, above: int) -> int:
        """Where the region ends that the line opens; `start` where it opens none."""
        line = self.lines[start]
        # A section of a manual may be called "4. Comments".
        is_section = line.is_heading and line.is_item
        if line.length > _LONGEST_CLOSING or self.prose[start] or is_section:
            return start

        words = words_of(line.text)
        is_followed_by_prose = start + 1 < len(self.lines) and self.prose[start + 1] > 0
        if opens_comments(line.text, words, may_be_section=is_followed_by_prose):
            is_below = above >= _BEFORE_COMMENTS * self.total
            if is_below and self.last_protected < start:
                return len(self.lines)
            return start
        if opens_shelf(line.text, words):
            return self._end_of_shelf(start)
        has_links = line.links >= _FEW_LINKS
        if opens_bar(line.text, words, has_links):
            return self._end_of_bar(start, is_certain=len(words) > 1 or has_links)
        return start

    def _end_of_shelf(self, start: int) -> int:
        """Where the article goes on below a shelf of other articles; the end where it does not."""
        position = start + 1
        while position < len(self.lines) and not self._goes_on(position):
            position += 1
        is_little = self.paragraphs_from[position] < _AFTER_SHELF * self.total
        if is_little and self.last_protected < position:
            return len(self.lines)
        return position

    def _goes_on(self, position: int) -> bool:
        """Whether a paragraph is one of an article, and not the teaser of another."""
        if self.lines[position].is_protected:
            return True
        length = self.prose[position]
        if length < _PARAGRAPH or self.lines[position].links > _FEW_LINKS:
            return False
        near = self.prose[position : position + 4]
        is_beside_another = sum(other >= _NEXT_PARAGRAPH for other in near) >= 2
        return length >= _LONG_PARAGRAPH or is_beside_another

    def _end_of_bar(self, start: int, is_certain: bool) -> int:
        """Where the next sentence begins. One word alone may be a term: a bar has links below it."""
        position = start + 1
        has_links = False
        while position < len(self.lines) and not self.lines[position].is_sentence:
            has_links = has_links or self.lines[position].is_only_links
            position += 1
        return position if is_certain or has_links else start

    def drop_notices(self) -> None:
        for line, notice in zip(self.lines, self.notices, strict=True):
            line.keep = line.keep and not notice

    def drop_head(self) -> None:
        """Drop what stands above the title, and menus between it and the first paragraph."""
        head = self.lines[: self.first]
        titles = [number for number, line in enumerate(head) if line.is_title]
        if titles:
            self._drop(0, titles[-1])
        is_menu = False
        for line in reversed(head):
            is_menu = is_menu or line.is_only_links or (line.is_item and line.length < _SHORT)
            if is_menu and not line.is_title:
                line.keep = False

    def drop_tail(self) -> None:
        """Drop what stands below the last paragraph, from the first link or heading on."""
        last = self.first
        for number, line in enumerate(self.lines):
            if line.keep and self.prose[number]:
                last = number
        tail = self.lines[last + 1 :]

        linked = sum(line.length for line in tail if line.is_only_links)
        letters = sum(line.length for line in tail)
        is_mostly_links = linked >= _LINKED_TAIL * letters

        is_over = False
        for line in tail:
            opens_links = line.is_only_links and is_mostly_links
            is_over = is_over or line.is_heading or opens_links
            line.keep = line.keep and not is_over

    def _drop(self, start: int, end: int) -> None:
        for line in self.lines[start:end]:
            line.keep = line.is_protected


def _sums_to_the_end(prose: list[int]) -> list[int]:
    """Letters of the paragraphs from each line to the end; one more for the end itself."""
    sums = [0]
    for length in reversed(prose):
        sums.append(sums[-1] + (length if length >= _NEXT_PARAGRAPH else 0))
    return sums[::-1]


def _teasers(lines: list[Line], prose: list[int]) -> list[int]:
    """Numbers of the paragraphs that only show other pages: under a title that is a link, or in a
    card that ends with a button.

    None where they are most of the page, which is an index of articles then, or only one.
    """
    teasers: list[int] = []
    for number in range(1, len(lines)):
        line, above = lines[number], lines[number - 1]
        is_short = 0 < prose[number] < _LONG_PARAGRAPH
        if not is_short or line.is_protected or not above.is_heading:
            continue

        has_button = number + 1 < len(lines) and lines[number + 1].is_button
        if above.is_only_links or has_button:
            teasers.append(number)

    letters = sum(prose[number] for number in teasers)
    are_most = letters >= 0.5 * sum(prose)
    if len(teasers) < 2 or are_most:
        return []
    return teasers


def _is_no_content(line: Line, notices: Notices) -> bool:
    """Whether a line is a button, a label of an advertisement, or a notice of the site."""
    if line.is_protected or line.length > _LONGEST_NOTICE:
        return False
    is_label = line.length <= _LONGEST_CLOSING and not (line.is_item or line.is_heading)
    return (is_label and is_button(words_of(line.text))) or notices.hold(line.text)
