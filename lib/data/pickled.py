"""Plain values out of a pickle, without unpickling it.

A pickle is a program, and unpickling runs it. Here `pickletools` splits it into its instructions, none of which it
executes, and this module carries out the few that build dicts, lists, tuples, strings, bytes, numbers and NumPy
arrays. A class or function is never looked up: the few names that an array is pickled with are recognised by their
text, and the array is made from its bytes after its type and size have been checked. Any other instruction or name
ends the reading. Time and memory stay proportional to the file: every value stands in it, keys are strings, and
the memo's numbers and copies are bounded.
"""

import math
import pickletools
import re

import numpy as np

from lib.data.limits import MAX_BYTES
from lib.errors import UserError, reason

_MAX_INSTRUCTIONS = 500_000  # a CIFAR10 batch has fewer than 100,000
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_ARRAYS = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")
_FROM_BUFFER = ("numpy.core.numeric _frombuffer", "numpy._core.numeric _frombuffer")  # protocol 5
_EMPTY_BYTES = "__builtin__ bytes"  # as Python 3 writes b"" for Python 2
_NAMES = (*_ARRAYS, *_FROM_BUFFER, "numpy ndarray", "numpy dtype", "_codecs encode", _EMPTY_BYTES)
_NUMBERS = re.compile(r"[iuf][1248]")
_MARK = object()


class _Name(str):
    """The text of an admitted global name; nothing is behind it."""


class _Pending:
    """An array, or with `number` its type, between its creation and the arrival of its state."""

    def __init__(self, number: str | None = None):
        self.number, self.memo_keys = number, []


class _Refused(Exception):
    """Something that plain data do not need."""


def read(data: bytes, name: str):
    """The dict, list, tuple, string, bytes, number, None or array of numbers that a pickle holds.

    Strings of Python 2 become str with one character per byte. Dict keys are strings or bytes. `name` stands in
    messages. Raises `UserError` for a pickle that is truncated, damaged or holds anything else.
    """
    try:
        return _Reader(len(data)).read(data)
    except _Refused as error:
        raise UserError(f"{name}: holds {error}; only plain values and arrays are read from a pickle, since "
                        f"unpickling runs what others wrote; fetch the file again") from error
    except Exception as error:  # a damaged program fails in any way: missing operands, wrong types, bad text
        raise UserError(f"{name}: truncated or damaged pickle ({reason(error)}); fetch the file again") from error


class _Reader:
    def __init__(self, size: int):
        self._stack, self._memo, self._size = [], {}, size
        self._copied = 0  # bytes copied out of strings, which a memo can repeat at no cost

    def read(self, data: bytes):
        for number, (instruction, argument, _) in enumerate(pickletools.genops(data)):
            if number == _MAX_INSTRUCTIONS:
                raise _Refused(f"more than {_MAX_INSTRUCTIONS} instructions")
            if instruction.name == "STOP":
                return self._stack.pop()
            self._carry_out(instruction.name, argument)
        raise EOFError("it does not end")

    def _carry_out(self, name: str, argument) -> None:
        stack = self._stack
        match name:
            case _ if name in _LITERALS:
                stack.append(argument)
            case _ if name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._remember(argument)
            case "MEMOIZE":
                self._remember(len(self._memo))
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "MARK":
                stack.append(_MARK)
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "LIST":
                stack.append(self._marked())
            case "TUPLE":
                stack.append(tuple(self._marked()))
            case "DICT":
                items = self._marked()
                stack.append({})
                self._set_items(items)
            case _ if name in _TUPLES:
                stack.append(tuple([stack.pop() for _ in range(_TUPLES[name])][::-1]))
            case "APPEND" | "APPENDS":
                items = [stack.pop()] if name == "APPEND" else self._marked()
                self._top(list).extend(items)
            case "SETITEM" | "SETITEMS":
                self._set_items([stack.pop(), stack.pop()][::-1] if name == "SETITEM" else self._marked())
            case "GLOBAL":
                stack.append(_name(argument))
            case "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                stack.append(_name(f"{_checked(module, str)} {_checked(attribute, str)}"))
            case "REDUCE":
                arguments, called = _checked(stack.pop(), tuple), _checked(stack.pop(), _Name)
                stack.append(self._create(called, arguments))
            case "BUILD":
                self._complete(_checked(stack.pop(), tuple))
            case "PROTO" | "FRAME":
                pass
            case _:
                raise _Refused(f"the instruction {name}")

    def _remember(self, key: int) -> None:
        if not 0 <= key < self._size:
            raise _Refused(f"the memo number {key}")
        value = self._stack[-1]
        if isinstance(value, _Pending):
            value.memo_keys.append(key)
        self._memo[key] = value

    def _marked(self) -> list:
        items = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _top(self, kind: type):
        return _checked(self._stack[-1], kind)

    def _set_items(self, items: list) -> None:
        mapping = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            mapping[_checked(key, (str, bytes))] = value

    def _create(self, called: str, arguments: tuple):
        if called in _ARRAYS:
            return _Pending()
        if called in _FROM_BUFFER:
            values, dtype, shape, order = arguments
            if order not in ("C", "F"):
                raise ValueError("an unknown order of values")
            return self._array(shape, _checked(dtype, np.dtype), order, bytes(_checked(values, (bytes, bytearray))))
        if called == "numpy dtype":
            number = _checked(arguments[0], str)
            if not _NUMBERS.fullmatch(number):
                raise _Refused(f"an array of type {number[:20]!r}")
            return _Pending(number)
        if called == _EMPTY_BYTES and not arguments:
            return b""
        if called == "_codecs encode" and arguments[1:] in (("latin1",), ("latin-1",)):
            return self._bytes(arguments[0])
        raise _Refused(f"a call of {called}")

    def _complete(self, state: tuple) -> None:
        pending = _checked(self._stack.pop(), _Pending)
        if pending.number is None:
            _, shape, dtype, fortran, values = state
            value = self._array(shape, _checked(dtype, np.dtype), "F" if fortran else "C", self._bytes(values))
        else:
            value = np.dtype(_byte_order(state[1]) + pending.number)
        self._stack.append(value)
        for key in pending.memo_keys:
            self._memo[key] = value

    @staticmethod
    def _array(shape: tuple, dtype: np.dtype, order: str, values: bytes) -> np.ndarray:
        if any(_checked(size, int) < 0 for size in _checked(shape, tuple)):
            raise ValueError("a negative size")
        if math.prod(shape) * dtype.itemsize != len(values):
            raise ValueError(f"an array of {shape} {dtype} in {len(values)} bytes")
        return np.frombuffer(values, dtype).reshape(shape, order=order)

    def _bytes(self, text: str | bytes) -> bytes:
        """Python 2's strings, and the bytes that Python 3 writes for it, have one character per byte."""
        if isinstance(text, bytes):
            return text
        self._copied += len(_checked(text, str))
        if self._copied > MAX_BYTES:
            raise _Refused(f"more than {MAX_BYTES} bytes")
        return text.encode("latin-1")


def _name(text: str) -> _Name:
    if text not in _NAMES:
        raise _Refused(f"the name {text[:80]!r}")
    return _Name(text)


def _byte_order(sign: str) -> str:
    if sign not in ("<", ">", "|"):
        raise ValueError("an unknown byte order")
    return sign


def _checked(value, kind):
    if not isinstance(value, kind):
        raise TypeError(f"a {type(value).__name__} where it cannot stand")
    return value
