"""Which member of one list belongs to which of the other: an inserted row is one insertion, not n changes."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from deepdiff import DeepDiff

from equivalence.compare.tree import Tree

_MATCHER_CELLS = 250_000
"""difflib is quadratic at best: members of one side times members of the other that it may see."""
_DISTANCES = 64
"""deepdiff measures at most so many pairs of members in one gap."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Pairs to compare further, and members that one side alone has. Equal members do not appear."""

    pairs: tuple[tuple[int, int], ...]
    only1: tuple[int, ...]
    only2: tuple[int, ...]
    reordered: bool = False


Gap = tuple[int, int, int, int]


def align(one: Sequence[str], other: Sequence[str], trees1: Sequence[Tree], trees2: Sequence[Tree]) -> Alignment:
    """Align two lists by the signatures of their members, by ``trees`` where those do not decide."""
    start = 0
    shorter = min(len(one), len(other))
    while start < shorter and one[start] == other[start]:
        start += 1
    end1, end2 = len(one), len(other)
    while end1 > start and end2 > start and one[end1 - 1] == other[end2 - 1]:
        end1 -= 1
        end2 -= 1
    if end1 - start == end2 - start:
        places = [index for index in range(start, end1) if one[index] != other[index]]
        if len(places) > 1 and Counter(one[i] for i in places) == Counter(other[i] for i in places):
            return Alignment((), (), (), reordered=True)
        if len(places) <= 2:
            return Alignment(tuple((index, index) for index in places), (), ())
    else:
        places = None
    pairs: list[tuple[int, int]] = []
    only1: list[int] = []
    only2: list[int] = []
    gaps = _gaps(one, other, (start, end1, start, end2))
    moved = {one[i] for a, b, _, _ in gaps for i in range(a, b)}
    moved &= {other[j] for _, _, c, d in gaps for j in range(c, d)}
    for a, b, c, d in gaps:
        left = [i for i in range(a, b) if one[i] not in moved]
        right = [j for j in range(c, d) if other[j] not in moved]
        only1 += [i for i in range(a, b) if one[i] in moved]
        only2 += [j for j in range(c, d) if other[j] in moved]
        if len(left) == len(right):
            pairs += zip(left, right, strict=True)
            continue
        matched = _closest([trees1[i] for i in left], [trees2[j] for j in right])
        pairs += [(left[i], right[j]) for i, j in matched]
        taken1, taken2 = {i for i, _ in matched}, {j for _, j in matched}
        only1 += [i for number, i in enumerate(left) if number not in taken1]
        only2 += [j for number, j in enumerate(right) if number not in taken2]
    if places is not None and len(places) <= len(pairs) + len(only1) + len(only2):
        return Alignment(tuple((index, index) for index in places), (), ())
    return Alignment(tuple(pairs), tuple(only1), tuple(only2))


def _gaps(one: Sequence[str], other: Sequence[str], whole: Gap) -> list[Gap]:
    """What lies between the members that are equal and in order."""
    a, b, c, d = whole
    if a == b or c == d:
        return [whole] if a != b or c != d else []
    if (b - a) * (d - c) <= _MATCHER_CELLS:
        matcher = SequenceMatcher(None, one[a:b], other[c:d], autojunk=False)
        return [(a + i, a + j, c + k, c + m) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]
    anchors = _anchors(one, other, whole)
    if not anchors:
        return [whole]
    found: list[Gap] = []
    for (i, j), (k, m) in pairwise([(a - 1, c - 1), *anchors, (b, d)]):
        gap = (i + 1, k, j + 1, m)
        if gap[0] != gap[1] or gap[2] != gap[3]:
            small = (gap[1] - gap[0]) * (gap[3] - gap[2]) <= _MATCHER_CELLS
            found += _gaps(one, other, gap) if small else [gap]
    return found


def _anchors(one: Sequence[str], other: Sequence[str], whole: Gap) -> list[tuple[int, int]]:
    """Members that appear once on each side, the longest run in order on both (patience diff)."""
    a, b, c, d = whole
    counts1, counts2 = Counter(one[a:b]), Counter(other[c:d])
    where = {other[j]: j for j in range(c, d) if counts2[other[j]] == 1}
    pairs = [(i, where[one[i]]) for i in range(a, b) if counts1[one[i]] == 1 and one[i] in where]
    tails: list[int] = []
    heads: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(heads[at - 1] if at else -1)
        tails[at : at + 1] = [j]
        heads[at : at + 1] = [index]
    found = []
    index = heads[-1] if heads else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _closest(one: Sequence[Tree], other: Sequence[Tree]) -> list[tuple[int, int]]:
    """Pairs in order, each member of the shorter list once, with the least distance altogether."""
    rows, columns = len(one), len(other)
    if not rows or not columns:
        return []
    if rows * columns > _DISTANCES:
        return [(k, k) for k in range(min(rows, columns))]
    if rows > columns:
        return [(i, j) for j, i in _closest(other, one)]
    stand1, stand2 = [stand_in(t) for t in one], [stand_in(t) for t in other]
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]] = [[(0.0, ())] * (columns + 1)]
    for i in range(rows):
        line: list[tuple[float, tuple[tuple[int, int], ...]]] = [(float("inf"), ())]
        for j in range(columns):
            cost, chosen = best[i][j]
            taken = (cost + _distance(stand1[i], stand2[j]), (*chosen, (i, j)))
            line.append(min(line[j], taken, key=lambda entry: entry[0]))
        best.append(line)
    return list(best[rows][columns][1])


def _distance(one: object, other: object) -> float:
    """Deepdiff's distance of two stand-ins, 0 to 1, with no option on that calls different things equal."""
    if type(one) is not type(other):
        return 2.0
    found = DeepDiff(
        one,
        other,
        ignore_order=False,
        report_repetition=True,
        ignore_private_variables=False,
        ignore_nan_inequality=False,
        ignore_numeric_type_changes=False,
        ignore_string_type_changes=False,
        threshold_to_diff_deeper=0,
        get_deep_distance=True,
    )
    return float(found.get("deep_distance", 0.0))


def stand_in(tree: Tree, level: int = 0) -> object:
    """What deepdiff sees of a tree: typed texts, dicts and lists of them; never live objects."""
    if not isinstance(tree, dict):
        return f"{type(tree).__name__}:{str(tree)[:200]}"
    if level < 4 and tree.get("n", 0) <= 50:
        if tree["t"] in ("list", "tuple"):
            return [stand_in(member, level + 1) for member in tree["v"]]
        if isinstance(tree.get("v"), dict) and tree["t"] != "enum":
            return {"k:" + key: stand_in(member, level + 1) for key, member in tree["v"].items()}
    return f"{tree['t']}:{tree.get('d') or str(tree)[:200]}"
