from made_up_tree import RuleTest


class Layers(RuleTest):
    def test_both_programs_stand_on_common(self):
        files = {
            "common/base/a.h": '#include "proto/x.pb.h"\n#include <vector>\n#include "absl/a.h"',
            "actor_worker/b.cc": '#include "common/base/a.h"\n#include "actor_worker/b.h"',
            "learner/c.cc": '#include "common/base/a.h"',
            "tests/d_test.cc": '#include "learner/c.h"\n#include "actor_worker/b.h"',
        }
        self.assertEqual(self.found(files), [])

    def test_neither_looks_sideways_up_or_at_tests(self):
        files = {
            "actor_worker/a.cc": '#include "learner/c.h"',
            "common/base/b.h": '\n#include "actor_worker/b.h"\n#include "learner/c.h"',
            "learner/c.cc": '#include "actor_worker/b.h"\n#include "tests/d.h"',
        }
        places = ["actor_worker/a.cc:1", "common/base/b.h:2", "common/base/b.h:3", "learner/c.cc:1", "learner/c.cc:2"]
        self.assert_places(self.found(files), places)
