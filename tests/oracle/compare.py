#!/usr/bin/env python3
"""Compares two outputs of `gpulse inspect --json`, or one with oracle.py's: equal to 1e-9, else the
first difference in words.

    compare.py A B

Of "source" only whether there is one counts, since a hash is the program's own; so are the words of the
reasons for which a line was set aside.
"""
import json
import math
import sys

# A sum that cancels out cannot be closer to zero than this.
ABSOLUTE = 1e-12


def first_difference(a, b, where="", relative=1e-9):
    """None when they are equal."""
    key = where.rpartition(".")[2]
    if key == "source":
        same = (a is None) == (b is None)
        return None if same else f"{where} is {a!r} in the one and {b!r} in the other"
    if key == "reason":
        return None
    if isinstance(a, dict) and isinstance(b, dict):
        return difference_of_objects(a, b, where, relative)
    if isinstance(a, list) and isinstance(b, list):
        return difference_of_lists(a, b, where, relative)
    if is_number(a) and is_number(b):
        if math.isclose(a, b, rel_tol=relative, abs_tol=ABSOLUTE if relative else 0):
            return None
        return f"{where} is {a!r} in the one and {b!r} in the other"
    if type(a) is type(b) and a == b:
        return None
    return f"{where} is {a!r} in the one and {b!r} in the other"


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def difference_of_objects(a, b, where, relative):
    for key in list(a) + list(b):
        if key not in a or key not in b:
            return f"{where or 'the whole'} has {key!r} only in the {'one' if key in a else 'other'}"
        found = first_difference(a[key], b[key], f"{where}.{key}".lstrip("."), relative)
        if found:
            return found
    return None


def difference_of_lists(a, b, where, relative):
    for at, (left, right) in enumerate(zip(a, b)):
        found = first_difference(left, right, f"{where}[{at}]", relative)
        if found:
            return found
    if len(a) != len(b):
        extra = (a if len(a) > len(b) else b)[min(len(a), len(b))]
        return (f"{where or 'the whole'} has {len(a)} entries in the one and {len(b)} in the other; "
                f"the first left over is {json.dumps(extra)}")
    return None


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as a, open(sys.argv[2], encoding="utf-8") as b:
        found = first_difference(json.load(a), json.load(b))
    print(found or "equal")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
