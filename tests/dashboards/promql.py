"""What a PromQL expression reads and gives, from its syntax tree (PyPI promql-parser): the series, and the labels of
the result.

A label that a selector, by, on or group_left names and that the series there never have is a fault: Prometheus takes
it for empty, and the panel stays empty or adds up what does not belong together.
"""

import promql_parser
from promql_parser import VectorMatchCardinality

# Prometheus gives these to everything it scrapes.
SCRAPED = frozenset({"job", "instance"})

_SET_OPERATORS = ("and", "or", "unless")


class Query:
    """`labels_of`: name of each series → its labels. Raises ValueError when the text is no PromQL.

    series: names that are read; matchers: (label, operator, value) of all selectors; labels: those of the result;
    faults: sentences.
    """

    def __init__(self, text, labels_of):
        self.series, self.matchers, self.faults = set(), set(), []
        self._labels_of = labels_of
        self.labels = self._labels(promql_parser.parse(text))

    def _expect(self, names, there, what):
        for name in sorted(set(names) - set(there)):
            has = ", ".join(sorted(there)) or "none"
            self.faults.append(f"{what} names the label {name}, which is not there; there are: {has}")

    def _labels(self, expression):
        return getattr(self, "_" + type(expression).__name__)(expression)

    def _NumberLiteral(self, expression):
        return frozenset()

    _StringLiteral = _NumberLiteral

    def _ParenExpr(self, expression):
        return self._labels(expression.expr)

    _UnaryExpr = _SubqueryExpr = _ParenExpr

    def _MatrixSelector(self, expression):
        return self._labels(expression.vector_selector)

    def _VectorSelector(self, expression):
        if expression.name is None:
            self.faults.append(f"{expression} selects by no name")
            return frozenset()
        self.series.add(expression.name)
        labels = self._labels_of.get(expression.name)
        if labels is None:
            self.faults.append(f"there is no series {expression.name}")
            return frozenset()
        matchers = expression.matchers.matchers + sum(expression.matchers.or_matchers, [])
        self.matchers |= {(matcher.name, str(matcher.op).rpartition(".")[2], matcher.value) for matcher in matchers}
        self._expect([matcher.name for matcher in matchers], labels, expression.name)
        return frozenset(labels)

    def _Call(self, expression):
        name = expression.func.name
        if name in ("label_replace", "label_join"):
            raise NotImplementedError(f"what {name} does to labels is not written yet")
        given = [self._labels(argument) for argument in expression.args]
        labels = frozenset().union(*given)
        if name == "histogram_quantile":
            self._expect(["le"], labels, name)
            return labels - {"le"}
        return labels

    def _AggregateExpr(self, expression):
        labels = self._labels(expression.expr)
        modifier = expression.modifier
        if str(expression.op) in ("topk", "bottomk"):
            return labels
        if modifier is None:
            return frozenset()
        kind = str(modifier.type).rpartition(".")[2]
        self._expect(modifier.labels, labels, f"{expression.op} {kind.lower()}")
        return labels - set(modifier.labels) if kind == "Without" else frozenset(modifier.labels)

    def _BinaryExpr(self, expression):
        left, right = self._labels(expression.lhs), self._labels(expression.rhs)
        modifier, operator = expression.modifier, str(expression.op)
        if self._is_scalar(expression.lhs) or self._is_scalar(expression.rhs):
            return left | right
        matching = modifier and modifier.matching
        on = matching and str(matching.type).endswith("Include")
        if on:
            self._expect(matching.labels, left, f"on, left of {operator},")
            self._expect(matching.labels, right, f"on, right of {operator},")
        elif matching:
            self._expect(matching.labels, left | right, "ignoring")
        if operator in _SET_OPERATORS:
            return left | right if operator == "or" else left
        if not on:
            ignored = set(matching.labels) if matching else set()
            only = (left ^ right) - ignored - set((modifier and modifier.group_labels) or ())
            if only:
                self.faults.append(f"the sides of {operator} never match: only one has {', '.join(sorted(only))}")
        card = modifier.card if modifier else VectorMatchCardinality.OneToOne
        if card == VectorMatchCardinality.OneToOne:
            return frozenset(matching.labels) if on else left - set(matching.labels if matching else ())
        many, one = (left, right) if card == VectorMatchCardinality.ManyToOne else (right, left)
        self._expect(modifier.group_labels or (), one, "group_left or group_right")
        return many | set(modifier.group_labels or ())

    def _is_scalar(self, expression):
        if isinstance(expression, (promql_parser.ParenExpr, promql_parser.UnaryExpr)):
            return self._is_scalar(expression.expr)
        if isinstance(expression, promql_parser.BinaryExpr):
            return self._is_scalar(expression.lhs) and self._is_scalar(expression.rhs)
        if isinstance(expression, promql_parser.Call):
            return expression.func.return_type == promql_parser.ValueType.Scalar
        return isinstance(expression, promql_parser.NumberLiteral)
