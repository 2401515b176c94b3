"""Parts of a page that are not what it says: removed from the tree before its text is taken.

Told by what the markup says of itself: forms to fill in, the labels of their fields. Whatever holds
a formula stays.
"""

from resiliparse.parse.html import DocumentNode, ElementNode

from corpus.formulas.inline_tex import has_strong_hint
from corpus.formulas.placeholders import OPEN
from corpus.html.repair import LABEL

# Fields for a visitor's own words, address or password.
_FIELDS_TO_FILL = 'textarea,input[type="email"],input[type="password"],input[type="search"]'
_LONGEST_FORM = 1_500  # characters: more than that is a page inside a form


def remove_boilerplate(document: DocumentNode, source: str) -> None:
    """Remove forms to fill in, and labels that are no choices, from the tree."""
    if "<form" in source or "<FORM" in source:
        for form in document.query_selector_all("form").values():
            if _is_to_fill_in(form):
                form.decompose()
    if LABEL in source:
        for label in document.query_selector_all(f"[{LABEL}]").values():
            if not _is_content(label, document):
                label.decompose()


def _is_to_fill_in(form: ElementNode) -> bool:
    """Whether it is for comments, a login, a search or a newsletter, and not a page or an exercise."""
    text = form.text or ""
    if len(text) > _LONGEST_FORM or holds_formula(text):
        return False
    return form.query_selector(_FIELDS_TO_FILL) is not None


def _is_content(label: ElementNode, document: DocumentNode) -> bool:
    """Whether a label is text of the page: a choice, or a name without a field."""
    if holds_formula(label.text or ""):
        return True

    field = label.query_selector("input,select,textarea")
    name = label.get_attribute("for")
    if field is None and name:
        field = document.get_element_by_id(name)
    if field is None:
        return True
    if field.tag != "input":
        return False

    kind = (field.get_attribute("type") or "text").lower()
    if kind == "radio":
        return True
    # Without a value it is a switch: the menus of style sheets are made of them.
    return kind == "checkbox" and bool(field.get_attribute("value"))


def holds_formula(text: str) -> bool:
    """Whether the text of an element has a formula, or a delimiter of one."""
    return OPEN in text or has_strong_hint(text)
