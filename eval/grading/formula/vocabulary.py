"""The words of formulas in LaTeX, Python and other languages. Data only."""

# --- words that become tokens

# Names that are functions wherever they occur as a word, without a backslash as well.
FUNCTION_WORDS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh asin acos atan acot "
    "coth sech csch arcsec arccsc asec acsc "
    "ln log lg exp sqrt cbrt abs Abs floor ceiling ceil factorial gcd lcm max min binomial "
    "Arcsin Arccos Arctan GCD LCM HCF hcf nCr nPr frac cis tg ctg cotg cosec arctg arcctg sh ch th cth mod".split()
)

# Inverse hyperbolic functions are written with arc-, ar- and a-: arcsinh, arsinh, asinh, arsh.
_HYPERBOLIC = {"sinh": "sh", "cosh": "ch", "tanh": "th", "coth": "cth", "sech": "", "csch": ""}
_INVERSE_HYPERBOLIC = {
    prefix + stem: f"arc{name}"
    for name, short in _HYPERBOLIC.items()
    for stem in (name, short)
    for prefix in ("arc", "ar", "a")
    if stem and prefix + stem not in ("ash", "ach", "ath")
}
FUNCTION_WORDS |= frozenset(_INVERSE_HYPERBOLIC)

# Names of Python, of sympy and of other countries' schools, and the LaTeX command that they mean.
COMMAND_OF_WORD = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "acot": "arccot",
    "arctg": "arctan", "arcctg": "arccot", "tg": "tan", "ctg": "cot", "cotg": "cot", "cosec": "csc",
    "sh": "sinh", "ch": "cosh", "th": "tanh", "cth": "coth", "asec": "arcsec", "acsc": "arccsc",
    "Abs": "abs", "ceiling": "ceil", "binomial": "binom", "nCr": "binom", "nPr": "arrangements",
    "Arcsin": "arcsin", "Arccos": "arccos", "Arctan": "arctan", "GCD": "gcd", "LCM": "lcm", "HCF": "gcd", "hcf": "gcd",
    **_INVERSE_HYPERBOLIC,
}  # fmt: skip

CONSTANT_WORDS = {
    "pi": "pi",
    "oo": "infty",
    "inf": "infty",
    "infinity": "infty",
    "Infinity": "infty",
    "infty": "infty",
}

GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu "
    "nu xi rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi "
    "Omega".split()
)

# What sympy prints as the name of an object.
SYMPY_OBJECTS = frozenset(["Matrix", "FiniteSet", "Interval", "Union", "Rational"])

SEPARATOR_WORDS = {
    "and": "and",
    "or": "or",
    "和": ",",
    "或": "or",
    "且": "and",
    "或者": "or",
    "以及": ",",
    "与": ",",
}
LOGIC_COMMANDS = {"vee": "or", "lor": "or", "wedge": "and", "land": "and"}

# A word made only of the letters of one of these sets is a product of letters: xyz, abc.
LETTERS_OF_PRODUCTS = (frozenset("abcdk"), frozenset("xyz"), frozenset("mnk"))

# --- what the parser makes of tokens

# Operators and commands, and the operator that a Relation holds for them.
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=",
    "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=",
    "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "approx": "~", "simeq": "~",
    "doteq": "~", "approxeq": "~", "thickapprox": "~", "equiv": "equiv",
    "in": "in", "notin": "notin", "subset": "subset", "subseteq": "subseteq",
    "perp": "perp", "parallel": "parallel", "sim": "sim", "cong": "cong",
    "to": "to", "rightarrow": "to",
}  # fmt: skip

# Commands that take the formula behind them as an argument.
CALLS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc "
    "sinh cosh tanh coth sech csch arcsinh arccosh arctanh arccoth arcsech arccsch "
    "ln log lg exp abs floor ceil factorial gcd lcm max min binom arrangements cbrt".split()
)
# \sin^{-1} is the inverse function, but \ln^{-1} x the reciprocal: nobody writes exp so.
INVERSES = {name: f"arc{name}" for name in "sin cos tan cot sec csc".split()} | {
    name: f"arc{name}" for name in _HYPERBOLIC
}
# Functions of exactly so many arguments; the others have one, or one and a base.
ARITIES = {"binom": 2, "arrangements": 2}

DECORATIONS = frozenset(
    "mathbb mathbf mathcal boldsymbol overline vec hat bar dot ddot overrightarrow".split()
)
UNIT_VECTORS = frozenset(["i", "j", "k", "unit i", "unit j", "unit k", "vec i", "vec j", "vec k"])

NAMED_SETS = frozenset("RZNQC")
OTHER_SYMBOLS = frozenset(
    ["ell", "hbar", "odot", "oplus", "top", "partial", "nabla", "aleph", "omicron"]
)  # letters to us, beside the Greek ones
VARIANT_LETTERS = {"varphi": "phi", "varepsilon": "epsilon", "vartheta": "theta", "top": "T"}
ELLIPSES = frozenset(["ldots", "dots", "cdots", "dotsc", "dotsb"])

# Opening brackets with the closing ones that may answer them: (0, 1] is an interval.
CLOSING_BRACKETS = {"(": (")", "]"), "[": (")", "]"), "\\{": ("\\}",), "{": ("}",)}
CLOSING_DELIMITERS = {
    "langle": "rangle",
    "lvert": "rvert",
    "lfloor": "rfloor",
    "lceil": "rceil",
    "vert": "vert",
}

# Commands that cannot begin a factor: operators, closing delimiters, moduli.
NEVER_A_FACTOR = frozenset(
    "cup cap setminus bigcup pm mp mid \\ vert rvert rangle rfloor rceil div times cdot ast "
    "circ rbrace rbrack pmod bmod mod".split()
) | frozenset(RELATIONS)

# Bases of numerals in words: 101_{two}
BASE_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
