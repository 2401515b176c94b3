"""What is added to a question, in each mode and language. Defaults: the public evaluation code's."""

from pydantic import Field

from pipeline.config.base import Section


class Suffixes(Section):
    """What is added after the question, on a line of its own, in each language."""

    en: str
    """For questions in English and every language that is not named here."""

    zh: str
    """For questions in Chinese."""

    other: dict[str, str] = Field(default_factory=dict)
    """Language code -> text. The paper asks in English and Chinese only; the other languages of
    MGSM are ours."""


class Prompts(Section):
    """Texts shared by fine-tuning, RL and evaluation. Defaults: the public evaluation code's (PAPER
    section 5.2)."""

    cot: Suffixes = Suffixes(
        en="Please reason step by step, and put your final answer within \\boxed{}.",
        zh="请通过逐步推理来解答问题，并把最终答案放置于\\boxed{}中。",
        other={
            "bn": "অনুগ্রহ করে ধাপে ধাপে যুক্তি দিন এবং চূড়ান্ত উত্তরটি \\boxed{} এর মধ্যে লিখুন।",
            "de": "Bitte denke Schritt für Schritt und schreibe die endgültige Antwort in \\boxed{}.",
            "es": "Razona paso a paso y escribe la respuesta final dentro de \\boxed{}.",
            "fr": "Raisonne étape par étape et écris la réponse finale dans \\boxed{}.",
            "ja": "段階的に考え、最終的な答えを\\boxed{}の中に書いてください。",
            "ru": "Рассуждай шаг за шагом и запиши окончательный ответ в \\boxed{}.",
            "sw": "Tafadhali fikiri hatua kwa hatua, na uandike jibu la mwisho ndani ya \\boxed{}.",
            "te": "దయచేసి దశలవారీగా ఆలోచించి, తుది సమాధానాన్ని \\boxed{} లో రాయండి.",
            "th": "โปรดคิดทีละขั้นตอน และใส่คำตอบสุดท้ายไว้ใน \\boxed{}",
        },
    )
    pot: Suffixes = Suffixes(
        en="Please write a Python program that prints the final answer.",
        zh="请编写一个Python程序，打印出最终答案。",
    )
    """NS for chat models: the paper prompts programs by few-shot examples only."""

    tool: Suffixes = Suffixes(
        en="Please integrate natural language reasoning with programs to solve the problem above, "
        "and put your final answer within \\boxed{}.",
        zh="请结合自然语言和Python程序语言来解答问题，并把最终答案放置于\\boxed{}中。",
    )
