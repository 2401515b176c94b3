"""Families about time, distance and space: travel, lessons, reading, rectangles, gardens."""

from mini.word_problems.template import Template

TRAVEL = (
    Template(
        "travel",
        "distance",
        {"v": (3, 12), "h": (2, 9)},
        ("v*h",),
        en=("A car drives {v} km every hour. How many km does it drive in {h} hours?",),
        zh=("汽车每小时行{v}千米，{h}小时行多少千米？",),
        page_en="At a speed of {v} km per hour, find the distance after {h} hours.",
        page_zh="速度是每小时{v}千米，求{h}小时的路程。",
    ),
    Template(
        "travel",
        "speed",
        {"h": (2, 9), "v": (3, 12), "d": "v*h"},
        ("d/h",),
        en=("A car drives {d} km in {h} hours. How many km does it drive every hour?",),
        zh=("汽车{h}小时行了{d}千米，每小时行多少千米？",),
        page_en="A train needs {h} hours for {d} km. Find its speed per hour.",
        page_zh="火车用{h}小时走完{d}千米，求速度。",
    ),
    Template(
        "travel",
        "still_to_go",
        {"v": (3, 9), "h": (2, 9), "c": (1, 9), "d": "v*h+c"},
        ("v*h", "d-r1"),
        en=(
            "The way is {d} km long. A car drives {v} km every hour for {h} hours. How many km are left?",
        ),
        zh=("全程{d}千米，汽车每小时行{v}千米，行了{h}小时。还剩多少千米？",),
        page_en=(
            "A train goes at {v} km per hour on a line of {d} km. Find the distance that remains after {h} hours."
        ),
        page_zh="铁路长{d}千米，火车的速度是每小时{v}千米，求{h}小时后余下的路程。",
    ),
    Template(
        "travel",
        "two_parts",
        {"v": (2, 5), "h": (2, 5), "w": (2, 5), "g": (2, 5)},
        ("v*h", "w*g", "r1+r2"),
        en=(
            "A car drives {v} km every hour for {h} hours and then {w} km every hour for {g} hours. "
            "How many km does it drive in all?",
        ),
        zh=(
            "汽车先每小时行{v}千米，行了{h}小时，再每小时行{w}千米，行了{g}小时。一共行了多少千米？",
        ),
        page_en=(
            "A train goes at {v} km per hour for {h} hours, later at {w} km per hour for {g} hours. Find "
            "the whole distance."
        ),
        page_zh="火车用每小时{v}千米的速度走{h}小时，又用每小时{w}千米的速度走{g}小时，求总路程。",
    ),
    Template(
        "travel",
        "two_parts_to_go",
        {"v": (2, 5), "h": (2, 5), "w": (2, 5), "g": (2, 5), "c": (1, 9), "d": "v*h+w*g+c"},
        ("v*h", "w*g", "r1+r2", "d-r3"),
        en=(
            "The way is {d} km long. A car drives {v} km every hour for {h} hours and then {w} km every hour "
            "for {g} hours. How many km are left?",
        ),
        zh=(
            "全程{d}千米，汽车先每小时行{v}千米，行了{h}小时，再每小时行{w}千米，行了{g}小时。还剩多少千米？",
        ),
        page_en=(
            "On a line of {d} km a train goes at {v} km per hour for {h} hours, later at {w} km per hour "
            "for {g} hours. Find the distance that remains."
        ),
        page_zh="铁路长{d}千米，火车用每小时{v}千米的速度走{h}小时，又用每小时{w}千米的速度走{g}小时，求余下的路程。",
    ),
)

LESSONS = (
    Template(
        "lessons",
        "total",
        {"n": (2, 9), "m": (5, 12)},
        ("n*m",),
        en=("A lesson takes {m} minutes. How many minutes do {n} lessons take?",),
        zh=("一节课{m}分钟，{n}节课多少分钟？",),
        page_en="A film of {m} minutes is shown {n} times. Find the whole time.",
        page_zh="电影长{m}分钟，放{n}遍，求总时间。",
    ),
    Template(
        "lessons",
        "with_break",
        {"n": (2, 9), "m": (3, 9), "b": (2, 9)},
        ("n*m", "r1+b"),
        en=(
            "{name} has {n} lessons of {m} minutes and one break of {b} minutes. How many minutes is that in all?",
        ),
        zh=("{name}上{n}节课，每节{m}分钟，休息{b}分钟。一共多少分钟？",),
        page_en="A film of {m} minutes is shown {n} times with a pause of {b} minutes. Find the whole time.",
        page_zh="电影长{m}分钟，放{n}遍，中间停{b}分钟，求总时间。",
    ),
    Template(
        "lessons",
        "with_breaks",
        {"n": (2, 5), "m": (3, 6), "c": (2, 5), "b": (2, 5)},
        ("n*m", "c*b", "r1+r2"),
        en=(
            "{name} has {n} lessons of {m} minutes and {c} breaks of {b} minutes. How many minutes is that in all?",
        ),
        zh=("{name}上{n}节课，每节{m}分钟，休息{c}次，每次{b}分钟。一共多少分钟？",),
        page_en="A film of {m} minutes is shown {n} times with {c} pauses of {b} minutes each. Find the whole time.",
        page_zh="电影长{m}分钟，放{n}遍，中间停{c}回，一回{b}分钟，求总时间。",
    ),
)

READING = (
    Template(
        "reading",
        "days",
        {"p": (2, 9), "q": (2, 12), "t": "p*q"},
        ("t/p",),
        en=(
            "A book has {t} pages. {name} reads {p} pages every day. How many days does {name} need?",
        ),
        zh=("一本书{t}页，{name}每天读{p}页，要读多少天？",),
        page_en="At {p} pages a day, in what time does {name} finish {t} pages?",
        page_zh="{name}一天看{p}页，看完{t}页要几天？",
    ),
    Template(
        "reading",
        "pages_left",
        {"p": (3, 9), "d": (2, 9), "c": (1, 9), "t": "p*d+c"},
        ("p*d", "t-r1"),
        en=(
            "A book has {t} pages. {name} reads {p} pages every day for {d} days. How many pages are left?",
        ),
        zh=("一本书{t}页，{name}每天读{p}页，读了{d}天。还剩多少页？",),
        page_en=(
            "From a text of {t} pages {name} has done {p} pages a day for {d} days. Find the number of pages to come."
        ),
        page_zh="全书共{t}页，{name}一天看{p}页，看了{d}天，求余下的页数。",
    ),
    Template(
        "reading",
        "days_left",
        {"q": (2, 5), "u": (2, 5), "p": (2, 5), "d": (2, 5), "t": "p*d+q*u"},
        ("p*d", "t-r1", "r2/q"),
        en=(
            "A book has {t} pages. {name} reads {p} pages every day for {d} days and then {q} pages every day. "
            "How many more days does {name} need?",
        ),
        zh=("一本书{t}页，{name}每天读{p}页，读了{d}天，以后每天读{q}页。还要读多少天？",),
        page_en=(
            "From a text of {t} pages {name} has done {p} pages a day for {d} days. At {q} pages a day, in "
            "what time are the others done?"
        ),
        page_zh="全书共{t}页，{name}一天看{p}页，看了{d}天，后来一天看{q}页，求余下的天数。",
    ),
)

RECTANGLES = (
    Template(
        "rectangle",
        "area",
        {"w": (2, 9), "h": (3, 12)},
        ("h*w",),
        en=("A rectangle is {h} cm long and {w} cm wide. What is its area?",),
        zh=("长方形长{h}厘米，宽{w}厘米，面积是多少？",),
        page_en="Find the area for length {h} cm and width {w} cm.",
        page_zh="已知长是{h}厘米、宽是{w}厘米，求面积。",
    ),
    Template(
        "rectangle",
        "perimeter",
        {"w": (2, 12), "h": (3, 20)},
        ("h+w", "2*r1"),
        en=("A rectangle is {h} cm long and {w} cm wide. What is its perimeter?",),
        zh=("长方形长{h}厘米，宽{w}厘米，周长是多少？",),
        page_en="Find the perimeter for length {h} cm and width {w} cm.",
        page_zh="已知长是{h}厘米、宽是{w}厘米，求周长。",
    ),
    Template(
        "rectangle",
        "fence",
        {"w": (2, 9), "h": (3, 9), "p": (2, 4)},
        ("h+w", "2*r1", "r2*p"),
        en=(
            "A garden is {h} m long and {w} m wide. A fence costs {p} dollars for each m. "
            "How many dollars does a fence around it cost?",
        ),
        zh=("花园长{h}米，宽{w}米，围栏每米{p}元。围一圈要多少元？",),
        page_en=(
            "A field has length {h} m and width {w} m. One m of fence costs {p} dollars. Find the price of "
            "the whole fence."
        ),
        page_zh="一块地的长是{h}米、宽是{w}米，一米围栏的价格是{p}元，求总价。",
    ),
    Template(
        "rectangle",
        "fence_change",
        {"w": (2, 6), "h": (3, 8), "p": (2, 4), "c": (1, 9), "t": "2*h*p+2*w*p+c"},
        ("h+w", "2*r1", "r2*p", "t-r3"),
        en=(
            "{name} has {t} dollars. A garden is {h} m long and {w} m wide, and a fence costs {p} dollars "
            "for each m. How many dollars are left after a fence around it?",
        ),
        zh=("{name}有{t}元。花园长{h}米，宽{w}米，围栏每米{p}元。围一圈后还剩多少元？",),
        page_en=(
            "A field has length {h} m and width {w} m. One m of fence costs {p} dollars. {name} pays with "
            "{t} dollars. Find the change."
        ),
        page_zh="一块地的长是{h}米、宽是{w}米，一米围栏的价格是{p}元，付出{t}元，求找回多少钱。",
    ),
)

GARDENS = (
    Template(
        "garden",
        "rows",
        {"r": (2, 9), "c": (3, 12)},
        ("r*c",),
        en=("A garden has {r} rows of {c} trees. How many trees are there?",),
        zh=("花园有{r}行树，每行{c}棵。有多少棵树？",),
        page_en="Trees stand in {r} rows, {c} in a row. Find their number.",
        page_zh="树排成{r}行，一行{c}棵，求总数。",
    ),
    Template(
        "garden",
        "rows_and_more",
        {"r": (2, 9), "c": (3, 9), "e": (2, 9)},
        ("r*c", "r1+e"),
        en=(
            "A garden has {r} rows of {c} trees. {name} plants {e} more. How many trees are there now?",
        ),
        zh=("花园有{r}行树，每行{c}棵，{name}又种了{e}棵。现在有多少棵树？",),
        page_en="Trees stand in {r} rows, {c} in a row, and {e} stand alone. Find their number.",
        page_zh="树排成{r}行，一行{c}棵，旁边还有{e}棵，求总数。",
    ),
    Template(
        "garden",
        "two_gardens",
        {"r": (2, 6), "c": (3, 9), "s": (2, 5), "d": (3, 6)},
        ("r*c", "s*d", "r1-r2"),
        en=(
            "One garden has {r} rows of {c} trees, another has {s} rows of {d} trees. "
            "How many more trees does the first garden have?",
        ),
        zh=("第一个花园有{r}行树，每行{c}棵，第二个有{s}行，每行{d}棵。第一个多多少棵？",),
        page_en=(
            "Trees stand in {r} rows of {c} on the left and in {s} rows of {d} on the right. Find the difference."
        ),
        page_zh="左边的树排成{r}行，一行{c}棵；右边排成{s}行，一行{d}棵。求相差多少。",
    ),
)
