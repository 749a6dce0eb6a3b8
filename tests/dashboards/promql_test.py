#!/usr/bin/env python3
"""That the check of the panels can fail: queries with a fault each, alone and put into the real dashboards."""

import sys
import unittest

try:
    import panels_test
    from promql import Query
    from series import known_series
except ImportError as error:
    print(f"skipped: {error}; pip install -r tests/requirements.txt")
    sys.exit(77)

_SERIES = {
    "steps_total": {"job", "instance", "state"},
    "seconds_bucket": {"job", "instance", "state", "le"},
    "info": {"job", "instance", "run"},
}


class Queries(unittest.TestCase):
    def assert_gives(self, text, *labels):
        query = Query(text, _SERIES)
        self.assertEqual(query.faults, [])
        self.assertEqual(set(query.labels), set(labels))

    def assert_fault(self, text, words):
        faults = Query(text, _SERIES).faults
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(words, faults[0])

    def test_labels_of_the_result(self):
        self.assert_gives('rate(steps_total{state="a"}[1m])', "job", "instance", "state")
        self.assert_gives("sum(steps_total) + 1")
        self.assert_gives("sum by (state) (steps_total) / time()", "state")
        self.assert_gives("sum without (state) (steps_total)", "job", "instance")
        self.assert_gives("topk(3, steps_total)", "job", "instance", "state")
        self.assert_gives("histogram_quantile(0.5, sum by (le, job) (rate(seconds_bucket[5m])))", "job")
        self.assert_gives("steps_total * on (job, instance) group_left (run) info", "job", "instance", "state", "run")
        self.assert_gives("info * on (job) group_right () steps_total", "job", "instance", "state")
        self.assert_gives("steps_total - ignoring (state) sum by (job, instance) (steps_total)", "job", "instance")
        self.assert_gives("info unless on (job) steps_total > 0", "job", "instance", "run")
        self.assert_gives("info or steps_total", "job", "instance", "run", "state")
        self.assert_gives("vector(0)")

    def test_series_and_matchers_of_every_corner(self):
        query = Query('sum(steps_total{state!="a"}) > max_over_time(info{run=~"b"}[5m:1m])', _SERIES)
        self.assertEqual(query.series, {"steps_total", "info"})
        self.assertEqual(query.matchers, {("state", "NotEqual", "a"), ("run", "Re", "b")})

    def test_a_wrong_name(self):
        self.assert_fault("rate(step_total[1m])", "no series step_total")
        # In a comment, a string or as a label it is no series.
        self.assertEqual(Query('info{run="step_total"} # step_total', _SERIES).faults, [])
        self.assert_fault('{__name__=~"info|steps_total"}', "by no name")

    def test_a_wrong_label_wherever_one_can_stand(self):
        self.assert_fault('steps_total{stat="a"}', "stat,")
        self.assert_fault("sum by (run) (steps_total)", "run,")
        self.assert_fault("sum without (run) (steps_total)", "run,")
        self.assert_fault("steps_total * on (run) group_left () info", "on, left of *, names the label run,")
        self.assert_fault("info * on (state) group_right () steps_total", "on, left of *, names the label state,")
        self.assert_fault("steps_total * on (job, instance) group_left (runs) info", "runs,")
        self.assert_fault("steps_total - ignoring (stat) steps_total", "stat,")
        self.assert_fault("histogram_quantile(0.5, steps_total)", "le,")

    def test_sides_that_never_match(self):
        self.assert_fault("steps_total / info", "never match: only one has run, state")

    def test_no_promql(self):
        for text in ("sum by (state (steps_total)", "rate(steps_total)", "steps_total{state=}", 'info{run=~"("}'):
            with self.assertRaises(ValueError, msg=text):
                Query(text, _SERIES)


class Boards(unittest.TestCase):
    known = known_series()

    def failures(self, old, new, key="expr"):
        """Of all dashboards, with `new` for `old` in the first query that has it."""
        check, replaced = panels_test.Check(self.known), False
        for name, board in panels_test.boards().items():
            for panel in panels_test.check_dashboards.panels_of(board):
                for target in panel["targets"]:
                    if not replaced and old in target.get(key, ""):
                        target[key], replaced = target[key].replace(old, new, 1), True
            panels_test.check_board(check, board, name)
        self.assertTrue(replaced, f"no query has {old}")
        return check.failures

    def assert_noticed(self, old, new, words, key="expr"):
        failures = self.failures(old, new, key)
        self.assertTrue(any(words in failure for failure in failures), failures or "nothing was noticed")

    def test_as_they_are(self):
        self.assertEqual(self.failures("troupe_updates_total", "troupe_updates_total"), [])

    def test_a_wrong_series_is_noticed(self):
        self.assert_noticed("troupe_updates_total", "troupe_update_total", "no series troupe_update_total")

    def test_a_wrong_label_is_noticed(self):
        self.assert_noticed('{stage="update"}', '{step="update"}', "names the label step,")
        self.assert_noticed("by (run, state)", "by (run, stage)", "names the label stage,")
        self.assert_noticed("group_left (run)", "group_left (runs)", "names the label runs,")
        self.assert_noticed("{{state}}", "{{stage}}", "legend names the label stage,", key="legendFormat")

    def test_a_syntax_error_is_noticed(self):
        self.assert_noticed("sum by (run) (", "sum by (run (", "sum by (run (")

    def test_an_unknown_variable_and_a_run_that_is_not_asked_for_are_noticed(self):
        self.assert_noticed("[$__rate_interval]", "[$__rate_intervall]", "unknown variables")
        self.assert_noticed('run=~"$run"', 'experiment=~"$run"', "the chosen run does not matter")


if __name__ == "__main__":
    unittest.main()
