"""One HTML page with formulas to text, with the library call: what `python -m corpus.extract` does for every record.

    python -m examples.extract_page                  # the page in this file
    python -m examples.extract_page --html page.html

Formulas survive in whatever form a page carries them and come out as TeX; menus and footers do not.
"""

import argparse
import json
from pathlib import Path

from corpus.html.page import Rejected, page_of_html
from pipeline.config.corpus import Extraction

PAGE = r"""
<html lang="en"><head><title>The quadratic formula</title></head><body>
<nav><a href="/">Home</a> <a href="/shop">Shop</a> <a href="/contact">Contact</a></nav>
<article>
  <h1>The quadratic formula</h1>
  <p>Every equation <math><mi>a</mi><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><mi>b</mi><mi>x</mi><mo>+</mo>
     <mi>c</mi><mo>=</mo><mn>0</mn></math> with real coefficients has at most two real solutions, and one
     formula gives them both.</p>
  <p>They are <script type="math/tex">x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}</script>, which follows from
     completing the square on the left-hand side of the equation.</p>
  <p>The discriminant <img class="tex" alt="$b^2 - 4ac$" src="d.png"> decides how many solutions are real,
     and for \(a = 1\) the formula becomes shorter.</p>
</article>
<footer>Copyright 2024. All rights reserved. Cookie settings.</footer>
</body></html>
"""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--html", type=Path, help="an HTML file in the place of the built-in page")
    args = parser.parse_args(argv)

    # Bytes, not text: finding the charset is a part of the extraction.
    body = args.html.read_bytes() if args.html else PAGE.encode()
    try:
        page = page_of_html(body, str(args.html or "example.html"), Extraction())
    except Rejected as rejected:
        # What yields no page has exactly one reason, and the corpus report counts them.
        print(f"dropped: {rejected.reason} {rejected.detail}")
        return

    print(page["text"])
    print()
    print(f"title     {page['title']}")
    print(f"language  {page['language']}")
    print(f"formulas  {page['n_math']}, by markup: {json.loads(page['math_kinds'])}")
    print(f"tokens    about {page['n_tokens']}")


if __name__ == "__main__":
    main()
