"""From a name `module:name` to the object that it stands for, and the checks of what it returns.

What is wrong is a UserError that begins with the name: the mistake is in the user's own module, or in the settings.
"""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from pipeline.errors import UserError


@cache
def own_object(name: str) -> Any:
    """What `module:name` stands for.

    Raises UserError where the module cannot be imported, whatever the reason, or has no such name.
    """
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    # A module of the user's may fail in any way while it is imported.
    except Exception as error:
        raise UserError(f"{name}: cannot be imported ({described(error)})") from error

    if not hasattr(module, attribute):
        raise UserError(f"{name}: module {module_name} has no {attribute}")
    return getattr(module, attribute)


def own_function(name: str) -> Callable[..., Any]:
    """The function that `module:name` stands for."""
    found = own_object(name)
    if not callable(found):
        raise UserError(f"{name}: is no function but {type(found).__name__}")
    return found


def described(error: Exception) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def checked_numbers(values: object, length: int, what: str) -> np.ndarray:
    """`values` as float64 [length]; a UserError that begins with `what` where they are anything but finite numbers."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"{what} gave {type(values).__name__}, not {length} numbers") from None

    if numbers.shape != (length,):
        raise UserError(f"{what} gave an array of shape {numbers.shape}, not ({length},)")
    if not np.isfinite(numbers).all():
        place = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise UserError(f"{what} gave {numbers[place]} at place {place}")
    return numbers
