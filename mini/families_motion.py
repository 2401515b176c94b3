"""Families about time, distance and space: travel, lessons, reading, rectangles, gardens."""

from mini.story import Template

TRAVEL = (
    Template(
        "travel",
        "distance",
        {"v": (3, 60), "h": (2, 9)},
        ("v*h",),
        en=("A car drives {v} km every hour. How many km does it drive in {h} hours?",),
        zh=("汽车每小时行{v}千米，{h}小时行多少千米？",),
    ),
    Template(
        "travel",
        "speed",
        {"h": (2, 9), "v": (3, 40), "d": "v*h"},
        ("d/h",),
        en=("A car drives {d} km in {h} hours. How many km does it drive every hour?",),
        zh=("汽车{h}小时行了{d}千米，每小时行多少千米？",),
    ),
    Template(
        "travel",
        "still_to_go",
        {"d": (60, 300), "v": (3, 30), "h": (2, 9)},
        ("v*h", "d-r1"),
        en=("The way is {d} km long. A car drives {v} km every hour for {h} hours. How many km are left?",),
        zh=("全程{d}千米，汽车每小时行{v}千米，行了{h}小时。还剩多少千米？",),
    ),
    Template(
        "travel",
        "two_parts",
        {"v": (3, 30), "h": (2, 6), "w": (3, 30), "g": (2, 6)},
        ("v*h", "w*g", "r1+r2"),
        en=(
            "A car drives {v} km every hour for {h} hours and then {w} km every hour for {g} hours. "
            "How many km does it drive in all?",
        ),
        zh=("汽车先每小时行{v}千米，行了{h}小时，再每小时行{w}千米，行了{g}小时。一共行了多少千米？",),
    ),
    Template(
        "travel",
        "two_parts_to_go",
        {"d": (100, 300), "v": (3, 30), "h": (2, 6), "w": (3, 30), "g": (2, 6)},
        ("v*h", "w*g", "r1+r2", "d-r3"),
        en=(
            "The way is {d} km long. A car drives {v} km every hour for {h} hours and then {w} km every hour "
            "for {g} hours. How many km are left?",
        ),
        zh=("全程{d}千米，汽车先每小时行{v}千米，行了{h}小时，再每小时行{w}千米，行了{g}小时。还剩多少千米？",),
    ),
)

LESSONS = (
    Template(
        "lessons",
        "total",
        {"n": (2, 9), "m": (5, 40)},
        ("n*m",),
        en=("A lesson takes {m} minutes. How many minutes do {n} lessons take?",),
        zh=("一节课{m}分钟，{n}节课多少分钟？",),
    ),
    Template(
        "lessons",
        "with_break",
        {"n": (2, 9), "m": (5, 30), "b": (5, 40)},
        ("n*m", "r1+b"),
        en=("{name} has {n} lessons of {m} minutes and one break of {b} minutes. How many minutes is that in all?",),
        zh=("{name}上{n}节课，每节{m}分钟，休息{b}分钟。一共多少分钟？",),
    ),
    Template(
        "lessons",
        "with_breaks",
        {"n": (2, 9), "m": (5, 30), "c": (2, 6), "b": (2, 9)},
        ("n*m", "c*b", "r1+r2"),
        en=("{name} has {n} lessons of {m} minutes and {c} breaks of {b} minutes. How many minutes is that in all?",),
        zh=("{name}上{n}节课，每节{m}分钟，休息{c}次，每次{b}分钟。一共多少分钟？",),
    ),
)

READING = (
    Template(
        "reading",
        "days",
        {"p": (2, 9), "q": (2, 25), "t": "p*q"},
        ("t/p",),
        en=("A book has {t} pages. {name} reads {p} pages every day. How many days does {name} need?",),
        zh=("一本书{t}页，{name}每天读{p}页，要读多少天？",),
    ),
    Template(
        "reading",
        "pages_left",
        {"t": (60, 300), "p": (5, 30), "d": (2, 9)},
        ("p*d", "t-r1"),
        en=("A book has {t} pages. {name} reads {p} pages every day for {d} days. How many pages are left?",),
        zh=("一本书{t}页，{name}每天读{p}页，读了{d}天。还剩多少页？",),
    ),
    Template(
        "reading",
        "days_left",
        {"q": (2, 9), "u": (2, 20), "p": (5, 20), "d": (2, 9), "t": "p*d+q*u"},
        ("p*d", "t-r1", "r2/q"),
        en=(
            "A book has {t} pages. {name} reads {p} pages every day for {d} days and then {q} pages every day. "
            "How many more days does {name} need?",
        ),
        zh=("一本书{t}页，{name}每天读{p}页，读了{d}天，以后每天读{q}页。还要读多少天？",),
    ),
)

RECTANGLES = (
    Template(
        "rectangle",
        "area",
        {"w": (2, 9), "h": (3, 40)},
        ("w*h",),
        en=("A rectangle is {h} cm long and {w} cm wide. What is its area?",),
        zh=("长方形长{h}厘米，宽{w}厘米，面积是多少？",),
    ),
    Template(
        "rectangle",
        "perimeter",
        {"w": (2, 60), "h": (3, 60)},
        ("h+w", "2*r1"),
        en=("A rectangle is {h} cm long and {w} cm wide. What is its perimeter?",),
        zh=("长方形长{h}厘米，宽{w}厘米，周长是多少？",),
    ),
    Template(
        "rectangle",
        "fence",
        {"w": (2, 20), "h": (3, 20), "p": (2, 6)},
        ("h+w", "2*r1", "r2*p"),
        en=(
            "A garden is {h} m long and {w} m wide. A fence costs {p} dollars for each m. "
            "How many dollars does a fence around it cost?",
        ),
        zh=("花园长{h}米，宽{w}米，围栏每米{p}元。围一圈要多少元？",),
    ),
    Template(
        "rectangle",
        "fence_change",
        {"w": (2, 15), "h": (3, 15), "p": (2, 6), "t": (100, 300)},
        ("h+w", "2*r1", "r2*p", "t-r3"),
        en=(
            "{name} has {t} dollars. A garden is {h} m long and {w} m wide, and a fence costs {p} dollars for each m. "
            "How many dollars are left after a fence around it?",
        ),
        zh=("{name}有{t}元。花园长{h}米，宽{w}米，围栏每米{p}元。围一圈后还剩多少元？",),
    ),
)

GARDENS = (
    Template(
        "garden",
        "rows",
        {"r": (2, 9), "c": (3, 30)},
        ("r*c",),
        en=("A garden has {r} rows of {c} trees. How many trees are there?",),
        zh=("花园有{r}行树，每行{c}棵。有多少棵树？",),
    ),
    Template(
        "garden",
        "rows_and_more",
        {"r": (2, 9), "c": (3, 20), "e": (5, 80)},
        ("r*c", "r1+e"),
        en=("A garden has {r} rows of {c} trees. {name} plants {e} more. How many trees are there now?",),
        zh=("花园有{r}行树，每行{c}棵，{name}又种了{e}棵。现在有多少棵树？",),
    ),
    Template(
        "garden",
        "two_gardens",
        {"r": (2, 9), "c": (3, 20), "s": (2, 9), "d": (3, 20)},
        ("r*c", "s*d", "r1-r2"),
        en=(
            "One garden has {r} rows of {c} trees, another has {s} rows of {d} trees. "
            "How many more trees does the first garden have?",
        ),
        zh=("第一个花园有{r}行树，每行{c}棵，第二个有{s}行，每行{d}棵。第一个多多少棵？",),
    ),
)
