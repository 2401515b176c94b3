"""Sentence patterns and words of the generated prose. A form is (openings, middle sentences, closings).

`{food}` and `{food2}` are two different words of one list.
"""

WORDS = {
    "en": {
        "place": (
            "village",
            "town",
            "garden",
            "market",
            "school",
            "forest",
            "harbour",
            "river",
            "shop",
            "hill",
        ),
        "weather": ("rain", "sun", "wind", "snow", "fog", "warm light"),
        "time": ("morning", "evening", "afternoon", "night", "summer", "winter", "day", "week"),
        "good": (
            "old",
            "small",
            "bright",
            "quiet",
            "green",
            "warm",
            "happy",
            "round",
            "new",
            "long",
        ),
        "person": (
            "friend",
            "teacher",
            "baker",
            "neighbour",
            "sister",
            "brother",
            "driver",
            "farmer",
        ),
        "action": (
            "laughed",
            "waited",
            "sang",
            "slept",
            "looked around",
            "went home",
            "told a story",
            "kept still",
        ),
        "food": ("bread", "soup", "rice", "tea", "cheese", "salad", "honey", "milk"),
        "vehicle": ("car", "train", "boat", "bus", "bicycle"),
        "object": ("letter", "box", "bag", "lamp", "table", "door", "picture", "book"),
    },
    "zh": {
        "place": ("村子", "小镇", "花园", "市场", "学校", "森林", "商店", "河边"),
        "weather": ("雨", "太阳", "风", "雪", "雾"),
        "time": ("早上", "晚上", "下午", "夏天", "冬天"),
        "good": ("旧", "小", "新", "安静", "绿色", "温暖"),
        "person": ("朋友", "老师", "邻居", "姐姐", "弟弟", "司机"),
        "food": ("面包", "汤", "米饭", "茶", "蜂蜜", "牛奶"),
        "vehicle": ("汽车", "火车", "船", "自行车"),
        "object": ("信", "盒子", "袋子", "灯", "桌子", "画"),
    },
}

_STORY = (
    (
        "One {time} {name} and {other} walked to the {place} to look for a {good} {object}.",
        "{name} lived in a {good} house near the {place}, and {other} lived on the other side.",
        "It was a {time} with much {weather} when {name} met {other} at the {place}.",
    ),
    (
        "The {person} had some {things} in a {good} {object} and gave them to {name}.",
        "{other} {action} and then {action2}.",
        "There was {weather} over the {place}, but nobody minded.",
        "{name} asked the {person} where the {good} {object} was.",
        'The {person} said: "I have seen it in the {place}, behind the {good} {object}."',
        "All the {things} were gone, and so was the {object}.",
        "They shared {food} and {food2} and talked about the {time}.",
        "{name} has always liked {things} more than {food}.",
        "Each of them took a {object} and went on.",
        "After a while {other} came back from the {place} with a {good} {vehicle}.",
    ),
    (
        "At the end of the {time} {name} and {other} were tired and {good} again.",
        "{other} never forgot that {time} at the {place}.",
        "And the {person} still keeps the {object} today.",
    ),
)

_RECIPE = (
    (
        "This {food} with {things} comes from a {good} {place}, and {name} makes it every {time}.",
        "{name} learned this {good} {food} from a {person}.",
    ),
    (
        "Wash the {things} and put them into a {good} {object}.",
        "Add {food} and a little {food2}, and stir until it is {good}.",
        "Let everything rest near the {object} while you set the table.",
        "Do not use {good} {things}: they make the {food} bitter.",
        "If there are no {things} in the shop, take more {food}.",
        "Serve it with {food} in the {time}.",
        "{other} likes to put {food} on top, and so does the {person}.",
        "Cover it and keep it away from the {weather}.",
    ),
    (
        "Eat it while it is warm.",
        "What is left tastes even better the next {time}.",
        "{name} and {other} wish you joy.",
    ),
)

_TRAVEL = (
    (
        "We took the {vehicle} to the {place} in the {time}.",
        "The way to the {place} is {good}, and the {vehicle} is never full in the {time}.",
    ),
    (
        "From the {vehicle} you can see the {place} and the {good} {place2} behind it.",
        "A {person} told us to visit the {place} before the {weather} comes.",
        "In the {time} there was {weather}, so we stayed at the {good} {place}.",
        "{name} bought {things} at the {place} and {other} found a {good} {object}.",
        "The {food} there is {good}, and everybody drinks {food2}.",
        "You should bring a {object} for the {weather}.",
        "The {person} of the house {action} when we asked for the {vehicle}.",
        "Most people go to the {place} first and see the {place2} later.",
    ),
    (
        "We will come back next {time}.",
        "The {vehicle} home left in the {time}, and {name} {action}.",
    ),
)

_LETTER = (
    (
        "Dear {name}, thank you for the {good} {object}.",
        "Dear {other}, how was the {time} at the {place}?",
    ),
    (
        "Here we have {weather} every {time}, and the {place} is {good}.",
        "The {person} asks about you and sends {food} and {things}.",
        "I put the {object} on the {object2}, where everybody can see it.",
        "Do you still have the {good} {things} from the {place}?",
        "Yesterday I saw a {person} who {action}, just like you.",
        "Next {time} I want to take the {vehicle} and see you.",
        "Please tell {other} that the {vehicle} is {good} again.",
    ),
    ("Yours, {name}", "See you soon, {other}"),
)

_STORY_ZH = (
    ("{time}，{name}和{other}一起去{place}。", "{name}住在{place}旁边，{other}是{name}的朋友。"),
    (
        "{person}把{things}放进{good}的{object}里。",
        "{other}看见了{place}，非常高兴。",
        "外面有{weather}，可是大家都不怕。",
        "{name}问{person}：“我的{object}在哪里？”",
        "{person}送给{name}一些{things}。",
        "他们一起吃{food}，喝{food2}，说起{time}的事。",
        "后来{other}坐{vehicle}回家了。",
        "每个人都喜欢{good}的{place}。",
    ),
    ("从此{name}每天都去{place}。", "{other}一直记得那个{time}。"),
)

_TRAVEL_ZH = (
    ("{time}我们坐{vehicle}去了{place}。", "去{place}的路很{good}。"),
    (
        "{place}里有{good}的{object}，还有很多{things}。",
        "{person}告诉我们，{weather}来以前要去{place}看看。",
        "那里的{food}很好，人们都喝{food2}。",
        "{name}在商店里买了{things}，{other}买了{object}。",
        "坐在{vehicle}上可以看见{place}。",
        "因为有{weather}，我们在{place}休息。",
    ),
    ("{time}我们还要再来。", "{name}和{other}都很高兴。"),
)

FORMS = {"en": (_STORY, _RECIPE, _TRAVEL, _LETTER), "zh": (_STORY_ZH, _TRAVEL_ZH)}
