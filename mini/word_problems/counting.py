"""Families about counting: collections gained and lost, ages, times as many."""

from mini.word_problems.template import Template

COLLECTIONS = (
    Template(
        "collection",
        "gain",
        {"a": (2, 20), "b": (2, 20)},
        ("a+b",),
        en=(
            "{name} has {a} {things} and gets {b} more. How many {things} does {name} have now?",
            "{name} has {a} {things} and {other} has {b}. How many {things} do they have in all?",
        ),
        zh=(
            "{name}有{a}个{things}，又得到{b}个。现在有多少个？",
            "{name}有{a}个{things}，{other}有{b}个。一共有多少个？",
        ),
        page_en="To {a} {things} {name} adds {b} {things}. Find the sum.",
        page_zh="{a}个{things}加上{b}个{things}，求和。",
    ),
    Template(
        "collection",
        "loss",
        {"a": (11, 70), "b": (2, 9)},
        ("a-b",),
        en=(
            "{name} has {a} {things} and gives away {b}. How many {things} are left?",
            "{name} has {a} {things} and {other} has {b}. How many more {things} does {name} have?",
        ),
        zh=(
            "{name}有{a}个{things}，送出{b}个。还剩多少个？",
            "{name}有{a}个{things}，{other}有{b}个。{name}多多少个？",
        ),
        page_en="From {a} {things} {name} takes {b} away. Find the difference.",
        page_zh="从{a}个{things}中拿走{b}个，求差。",
    ),
    Template(
        "collection",
        "gain_loss",
        {"a": (2, 20), "b": (2, 20), "c": (2, 9)},
        ("a+b", "r1-c"),
        en=(
            "{name} has {a} {things}, gets {b} more, and gives away {c}. How many {things} are left?",
        ),
        zh=("{name}有{a}个{things}，又得到{b}个，送出{c}个。还剩多少个？",),
        page_en="To {a} {things} {name} adds {b} {things} and then takes {c} away. What remains?",
        page_zh="{a}个{things}加上{b}个，再拿走{c}个，求余下的个数。",
    ),
    Template(
        "collection",
        "loss_gain",
        {"a": (11, 60), "b": (2, 9), "c": (2, 9)},
        ("a-b", "r1+c"),
        en=(
            "{name} has {a} {things}, gives away {b}, and gets {c} more. How many {things} does {name} have now?",
        ),
        zh=("{name}有{a}个{things}，送出{b}个，又得到{c}个。现在有多少个？",),
        page_en="From {a} {things} {name} takes {b} away and then adds {c} {things}. Find the new number.",
        page_zh="从{a}个{things}中拿走{b}个，再加上{c}个，求新的个数。",
    ),
    Template(
        "collection",
        "boxes_loss",
        {"a": (2, 9), "n": (2, 9), "b": (2, 9), "c": (2, 9)},
        ("n*b", "r1+a", "r2-c"),
        en=(
            "{name} has {a} {things}, gets {n} boxes of {b} more, and gives away {c}. How many {things} are left?",
        ),
        zh=("{name}有{a}个{things}，又得到{n}盒，每盒{b}个，送出{c}个。还剩多少个？",),
        page_en="To {a} {things} {name} adds {n} boxes with {b} {things} each and then takes {c} away. What remains?",
        page_zh="{a}个{things}加上{n}盒，一盒{b}个，再拿走{c}个，求余下的个数。",
    ),
    Template(
        "collection",
        "four_changes",
        {"a": (5, 30), "b": (2, 9), "c": (2, 9), "d": (2, 9), "e": (2, 9)},
        ("a+b", "r1-c", "r2+d", "r3-e"),
        en=(
            "{name} has {a} {things}, gets {b} more, gives away {c}, gets {d} more, and gives away {e}. "
            "How many {things} are left?",
        ),
        zh=("{name}有{a}个{things}，又得到{b}个，送出{c}个，又得到{d}个，送出{e}个。还剩多少个？",),
        page_en="To {a} {things} {name} adds {b}, takes {c} away, adds {d}, takes {e} away. What remains?",
        page_zh="{a}个{things}加上{b}个，拿走{c}个，加上{d}个，拿走{e}个，求余下的个数。",
    ),
)

AGES = (
    Template(
        "age",
        "later",
        {"a": (3, 60), "y": (2, 9)},
        ("a+y",),
        en=("{name} is {a} years old. How old is {name} in {y} years?",),
        zh=("{name}今年{a}岁，{y}年后多少岁？",),
        page_en="{name} was born {a} years ago. Find the age after {y} more years.",
        page_zh="{name}现在的年龄是{a}，求过{y}年的年龄。",
    ),
    Template(
        "age",
        "earlier",
        {"a": (12, 70), "y": (2, 9)},
        ("a-y",),
        en=("{name} is {a} years old. How old was {name} {y} years ago?",),
        zh=("{name}今年{a}岁，{y}年前多少岁？",),
        page_en="{name} was born {a} years ago. Find the age {y} years back.",
        page_zh="{name}现在的年龄是{a}，求{y}年以前的年龄。",
    ),
    Template(
        "age",
        "times_later",
        {"a": (3, 12), "k": (2, 6), "y": (2, 9)},
        ("k*a", "r1+y"),
        en=(
            "{name} is {a} years old. {other} is {k} times as old. How old is {other} in {y} years?",
        ),
        zh=("{name}今年{a}岁，{other}的年龄是{name}的{k}倍。{other}{y}年后多少岁？",),
        page_en=(
            "{name} was born {a} years ago and {other} has {k} times this age. Find the age of {other} "
            "after {y} more years."
        ),
        page_zh="{name}现在的年龄是{a}，乘{k}就是{other}的年龄，求{other}过{y}年的年龄。",
    ),
    Template(
        "age",
        "older_sum",
        {"a": (3, 20), "d": (2, 9)},
        ("a+d", "r1+a"),
        en=("{name} is {a} years old. {other} is {d} years older. How old are they in all?",),
        zh=("{name}今年{a}岁，{other}比{name}大{d}岁。他们一共多少岁？",),
        page_en="{name} was born {a} years ago, {other} {d} years before that. Find the sum of both ages.",
        page_zh="{name}现在的年龄是{a}，加{d}就是{other}的年龄，求年龄的和。",
    ),
    Template(
        "age",
        "times_sum_later",
        {"a": (2, 9), "k": (2, 4), "y": (2, 9)},
        ("k*a", "r1+a", "2*y", "r2+r3"),
        en=(
            "{name} is {a} years old. {other} is {k} times as old. How old are they in all in {y} years?",
        ),
        zh=("{name}今年{a}岁，{other}的年龄是{name}的{k}倍。{y}年后他们一共多少岁？",),
        page_en=(
            "{name} was born {a} years ago and {other} has {k} times this age. Find the sum of both ages "
            "after {y} more years."
        ),
        page_zh="{name}现在的年龄是{a}，乘{k}就是{other}的年龄，求过{y}年后年龄的和。",
    ),
)

TIMES = (
    Template(
        "times",
        "as_many",
        {"a": (3, 12), "k": (2, 9)},
        ("k*a",),
        en=(
            "{name} has {a} {things}. {other} has {k} times as many. How many {things} does {other} have?",
        ),
        zh=("{name}有{a}个{things}，{other}的个数是{name}的{k}倍。{other}有多少个？",),
        page_en="The {things} of {other} are {k} times the {a} {things} of {name}. Find their number.",
        page_zh="{name}的{things}是{a}个，乘{k}就是{other}的个数，求{other}的个数。",
    ),
    Template(
        "times",
        "in_all",
        {"a": (2, 12), "k": (2, 9)},
        ("k*a", "r1+a"),
        en=(
            "{name} has {a} {things}. {other} has {k} times as many. How many {things} do they have in all?",
        ),
        zh=("{name}有{a}个{things}，{other}的个数是{name}的{k}倍。一共有多少个？",),
        page_en="The {things} of {other} are {k} times the {a} {things} of {name}. Find the sum of both.",
        page_zh="{name}的{things}是{a}个，乘{k}就是{other}的个数，求两人的总数。",
    ),
    Template(
        "times",
        "less",
        {"a": (3, 12), "k": (2, 8), "e": (2, 9)},
        ("k*a", "r1-e"),
        en=(
            "{name} has {a} {things}. {other} has {k} times as many and gives away {e}. "
            "How many {things} does {other} have now?",
        ),
        zh=(
            "{name}有{a}个{things}，{other}的个数是{name}的{k}倍，送出{e}个。{other}现在有多少个？",
        ),
        page_en=(
            "The {things} of {other} are {k} times the {a} {things} of {name}. Then {other} loses {e}. What "
            "remains to {other}?"
        ),
        page_zh="{name}的{things}是{a}个，乘{k}就是{other}的个数，{other}丢了{e}个，求余下的个数。",
    ),
    Template(
        "times",
        "less_in_all",
        {"a": (3, 9), "k": (2, 8), "e": (2, 9)},
        ("k*a", "r1-e", "r2+a"),
        en=(
            "{name} has {a} {things}. {other} has {k} times as many and gives away {e}. "
            "How many {things} do they have in all now?",
        ),
        zh=("{name}有{a}个{things}，{other}的个数是{name}的{k}倍，送出{e}个。现在一共有多少个？",),
        page_en=(
            "The {things} of {other} are {k} times the {a} {things} of {name}. Then {other} loses {e}. Find "
            "the sum of both."
        ),
        page_zh="{name}的{things}是{a}个，乘{k}就是{other}的个数，{other}丢了{e}个，求两人的总数。",
    ),
    Template(
        "times",
        "chain",
        {"a": (2, 9), "k": (2, 4), "m": (2, 4)},
        ("k*a", "m*r1", "r1+a", "r2+r3"),
        en=(
            "{name} has {a} {things}. {other} has {k} times as many, and a shop has {m} times as many as {other}. "
            "How many {things} are there in all?",
        ),
        zh=(
            "{name}有{a}个{things}，{other}的个数是{name}的{k}倍，商店的个数是{other}的{m}倍。一共有多少个？",
        ),
        page_en=(
            "The {things} of {other} are {k} times the {a} {things} of {name}, and those of a shop are {m} "
            "times those of {other}. Find the sum."
        ),
        page_zh="{name}的{things}是{a}个，乘{k}就是{other}的个数，再乘{m}就是商店的个数，求总数。",
    ),
)
