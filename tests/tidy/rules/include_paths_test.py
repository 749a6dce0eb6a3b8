from made_up_tree import RuleTest


class IncludePaths(RuleTest):
    def test_from_the_root_and_others_headers_are_free(self):
        files = {
            "common/base/a.h": '#include "common/base/b.h"\n#include "proto/x.pb.h"\n#include "absl/a.h"',
            "common/base/b.h": '#include "gtest/gtest.h"\n#include <a.h>',
        }
        self.assertEqual(self.found(files), [])

    def test_beside_above_and_in_angles(self):
        files = {
            "learner/run/a.cc": '#include "b.h"\n#include "../c.h"\n#include <common/base/d.h>\n#include "./b.h"',
            "learner/run/b.h": '\n#include "more/e.h"',
            "learner/run/more/e.h": "",
            "learner/c.h": "",
        }
        found = self.found(files)
        self.assert_places(found, [f"learner/run/a.cc:{line}" for line in (1, 2, 3, 4)] + ["learner/run/b.h:2"])
        self.assertIn('"learner/c.h"', found[1])
