"""Families about money and goods: shop, savings, sharing, packing."""

from mini.word_problems.template import Template

SHOP = (
    Template(
        "shop",
        "cost",
        {"n": (2, 9), "p": (2, 12)},
        ("n*p",),
        en=(
            "{name} buys {n} {things} at {p} dollars each. How many dollars does {name} pay?",
            "One box of {things} costs {p} dollars. How many dollars do {n} boxes cost?",
        ),
        zh=("{name}买了{n}个{things}，每个{p}元。一共多少元？", "一盒{things}{p}元，{n}盒多少元？"),
        page_en="A shop asks {p} dollars for one of its {things}. Find the price of {n} {things}.",
        page_zh="商店里{things}的单价是{p}元，求{n}个的总价。",
    ),
    Template(
        "shop",
        "change",
        {"n": (2, 9), "p": (2, 9), "c": (1, 9), "m": "n*p+c"},
        ("n*p", "m-r1"),
        en=(
            "{name} buys {n} {things} at {p} dollars each and pays with {m} dollars. How many dollars are left?",
            "{name} has {m} dollars. {name} buys {n} {things} for {p} dollars each. How many dollars are left?",
        ),
        zh=("{name}有{m}元，买了{n}个{things}，每个{p}元。还剩多少元？",),
        page_en="{n} {things} cost {p} dollars apiece. {name} pays with a {m} dollar note. Find the change.",
        page_zh="{things}单价{p}元，{name}要{n}个，付出{m}元，求找回多少钱。",
    ),
    Template(
        "shop",
        "two_goods",
        {"n": (2, 5), "p": (2, 5), "m": (2, 5), "q": (2, 5)},
        ("n*p", "m*q", "r1+r2"),
        en=(
            "{name} buys {n} {things} at {p} dollars each and {m} {others} at {q} dollars each. "
            "How many dollars does {name} pay in all?",
        ),
        zh=("{name}买了{n}个{things}，每个{p}元，又买了{m}个{others}，每个{q}元。一共多少元？",),
        page_en=(
            "{n} {things} cost {p} dollars apiece and {m} {others} cost {q} dollars apiece. Find the total price."
        ),
        page_zh="{things}单价{p}元，要{n}个；{others}单价{q}元，要{m}个。求总价。",
    ),
    Template(
        "shop",
        "two_goods_change",
        {"n": (2, 5), "p": (2, 5), "m": (2, 5), "q": (2, 5), "c": (1, 9), "t": "n*p+m*q+c"},
        ("n*p", "m*q", "r1+r2", "t-r3"),
        en=(
            "{name} has {t} dollars and buys {n} {things} at {p} dollars each and {m} {others} at {q} dollars each. "
            "How many dollars are left?",
        ),
        zh=(
            "{name}有{t}元，买了{n}个{things}，每个{p}元，又买了{m}个{others}，每个{q}元。还剩多少元？",
        ),
        page_en=(
            "{name} pays with {t} dollars for {n} {things} of {p} dollars and {m} {others} of {q} dollars. "
            "Find the change."
        ),
        page_zh="{things}单价{p}元，要{n}个；{others}单价{q}元，要{m}个。付出{t}元，求找回多少钱。",
    ),
)

SAVINGS = (
    Template(
        "savings",
        "weeks",
        {"w": (2, 12), "n": (2, 9)},
        ("w*n",),
        en=(
            "{name} saves {w} dollars every week. How many dollars does {name} save in {n} weeks?",
        ),
        zh=("{name}每周存{w}元，{n}周存多少元？",),
        page_en="A money box gets {w} dollars a week from {name}. What does it hold after {n} weeks?",
        page_zh="存钱罐每星期放进{w}元，求{n}星期后的总数。",
    ),
    Template(
        "savings",
        "start",
        {"s": (2, 9), "w": (2, 9), "n": (2, 9)},
        ("w*n", "r1+s"),
        en=(
            "{name} has {s} dollars and saves {w} dollars every week. How many dollars does {name} have "
            "after {n} weeks?",
        ),
        zh=("{name}有{s}元，每周存{w}元，{n}周后有多少元？",),
        page_en="A money box holds {s} dollars and gets {w} dollars a week. What does it hold after {n} weeks?",
        page_zh="存钱罐里原有{s}元，每星期放进{w}元，求{n}星期后的总数。",
    ),
    Template(
        "savings",
        "spend",
        {"s": (2, 9), "w": (2, 9), "n": (2, 9), "g": (2, 9)},
        ("w*n", "r1+s", "r2-g"),
        en=(
            "{name} has {s} dollars, saves {w} dollars every week for {n} weeks, and then spends {g} dollars. "
            "How many dollars are left?",
        ),
        zh=("{name}有{s}元，每周存{w}元，存了{n}周，又花了{g}元。还剩多少元？",),
        page_en=(
            "A money box holds {s} dollars and gets {w} dollars a week for {n} weeks. Then {g} dollars are "
            "taken out. What remains?"
        ),
        page_zh="存钱罐里原有{s}元，{n}星期中每星期放进{w}元，再取出{g}元，求余下的钱。",
    ),
    Template(
        "savings",
        "both",
        {"w": (2, 5), "n": (2, 5), "v": (2, 5), "g": (2, 9)},
        ("w*n", "v*n", "r1+r2", "r3-g"),
        en=(
            "Every week {name} saves {w} dollars and {other} saves {v} dollars. After {n} weeks they spend "
            "{g} dollars. How many dollars are left?",
        ),
        zh=("每周{name}存{w}元，{other}存{v}元。{n}周后他们花了{g}元。还剩多少元？",),
        page_en=(
            "{name} puts {w} dollars a week and {other} puts {v} dollars a week into one box for {n} weeks. "
            "Then {g} dollars are taken out. What remains?"
        ),
        page_zh="{name}每星期放进{w}元，{other}每星期放进{v}元，共{n}星期，再取出{g}元，求余下的钱。",
    ),
)

SHARING = (
    Template(
        "sharing",
        "equally",
        {"k": (2, 9), "q": (2, 12), "t": "k*q"},
        ("t/k",),
        en=(
            "{t} {things} are shared equally by {k} children. How many {things} does each child get?",
            "{name} puts {t} {things} into {k} equal boxes. How many {things} are in each box?",
        ),
        zh=(
            "{t}个{things}平均分给{k}个孩子，每个孩子分到多少个？",
            "{name}把{t}个{things}平均放进{k}个盒子，每盒多少个？",
        ),
        page_en="Split {t} {things} into {k} equal parts. Find the size of one part.",
        page_zh="把{t}个{things}分成{k}等份，求每份的个数。",
    ),
    Template(
        "sharing",
        "rest",
        {"k": (2, 9), "q": (2, 9), "e": (2, 9), "t": "k*q+e"},
        ("t-e", "r1/k"),
        en=(
            "{name} has {t} {things}, keeps {e}, and shares the rest equally with {k} children. "
            "How many {things} does each child get?",
        ),
        zh=("{name}有{t}个{things}，留下{e}个，其余平均分给{k}个孩子。每个孩子分到多少个？",),
        page_en="Of {t} {things} {e} are put aside and {k} friends split the others. Find the part of one friend.",
        page_zh="{t}个{things}中先拿走{e}个，剩余的分成{k}等份，求每份的个数。",
    ),
    Template(
        "sharing",
        "boxes",
        {"k": (2, 9), "b": (2, 9), "c": (2, 9), "e": (2, 9)},
        ("b*c", "r1-e", "r2/k"),
        en=(
            "{name} has {b} boxes of {c} {things}, keeps {e}, and shares the rest equally with {k} children. "
            "How many {things} does each child get?",
        ),
        zh=(
            "{name}有{b}盒{things}，每盒{c}个，留下{e}个，其余平均分给{k}个孩子。每个孩子分到多少个？",
        ),
        page_en=(
            "{b} boxes hold {c} {things} each. After {e} are put aside, {k} friends split the others. Find "
            "the part of one friend."
        ),
        page_zh="{things}有{b}盒，一盒{c}个，先拿走{e}个，剩余的分成{k}等份，求每份的个数。",
    ),
    Template(
        "sharing",
        "boxes_then_give",
        {"k": (2, 9), "b": (2, 9), "c": (2, 9), "e": (2, 9), "g": (1, 9)},
        ("b*c", "r1+e", "r2/k", "r3-g"),
        en=(
            "{name} has {b} boxes of {c} {things} and {e} more, and puts them into {k} equal bags. "
            "{other} takes {g} from one bag. How many {things} are left in that bag?",
        ),
        zh=(
            "{name}有{b}盒{things}，每盒{c}个，另有{e}个，平均放进{k}个袋子。{other}从一个袋子里拿走{g}个，这袋还剩多少个？",
        ),
        page_en=(
            "{b} boxes hold {c} {things} each, and {e} lie on the table. All are split into {k} parts, and "
            "{g} are taken from one part. What remains of this part?"
        ),
        page_zh="{things}有{b}盒，一盒{c}个，桌上还有{e}个，分成{k}等份，从一份中取出{g}个，求这份余下的个数。",
    ),
)

PACKING = (
    Template(
        "packing",
        "left_over",
        {"t": (10, 50), "k": (2, 7)},
        ("t%k",),
        en=("{name} packs {t} {things} into bags of {k}. How many {things} are left over?",),
        zh=("{name}把{t}个{things}装袋，每袋{k}个。最后剩下多少个？",),
        page_en="A full bag holds {k} {things}. {name} fills bags from {t} {things}. Find the remainder.",
        page_zh="一袋能装{k}个{things}，现在有{t}个，求装袋后的余数。",
    ),
    Template(
        "packing",
        "sum_left_over",
        {"t": (5, 40), "u": (2, 9), "k": (2, 7)},
        ("t+u", "r1%k"),
        en=(
            "{name} has {t} {things} and {other} has {u}. They pack them all into bags of {k}. "
            "How many {things} are left over?",
        ),
        zh=("{name}有{t}个{things}，{other}有{u}个。他们一起装袋，每袋{k}个。最后剩下多少个？",),
        page_en="A full bag holds {k} {things}. {name} brings {t} and {other} brings {u}. Find the remainder.",
        page_zh="一袋能装{k}个{things}，{name}拿来{t}个，{other}拿来{u}个，求装袋后的余数。",
    ),
    Template(
        "packing",
        "bags",
        {"t": (5, 50), "u": (2, 9), "e": (2, 9), "k": (2, 9)},
        ("t+u", "r1-e", "r2/k"),
        en=(
            "{name} has {t} {things} and buys {u} more. {name} eats {e} and packs the rest into bags of {k}. "
            "How many bags are there?",
        ),
        zh=("{name}有{t}个{things}，又买了{u}个，吃了{e}个，其余装袋，每袋{k}个。有多少袋？",),
        page_en=(
            "A full bag holds {k} {things}. There are {t} and {u} {things}, but {e} are lost. Find the "
            "number of full bags."
        ),
        page_zh="一袋能装{k}个{things}，原有{t}个，加上{u}个，丢了{e}个，求袋数。",
    ),
)
