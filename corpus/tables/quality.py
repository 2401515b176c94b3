"""Simple measures of a text's quality (after Gopher, Rae et al. 2021): reported, never used to drop a page."""


def letter_share(text: str) -> float:
    """Letters per character, white space not counted; 0 for an empty text."""
    visible = "".join(text.split())
    return sum(map(str.isalpha, visible)) / len(visible) if visible else 0.0


def repeated_line_share(text: str) -> float:
    """Share of the lines that stood in the text before; blank lines do not count."""
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0
