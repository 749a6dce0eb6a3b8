from made_up_tree import RuleTest

_MAP = "- `learner/run/`: the loop\n- `learner/batch/`: plain structs\n\n- `common/base/`: the ground"


class FloorOrder(RuleTest):
    def test_downstairs_is_free(self):
        files = {
            "docs/house.md": _MAP,
            "learner/run/a.cc": '#include "learner/batch/b.h"\n#include "common/base/c.h"\n#include "learner/run/a.h"',
            "learner/batch/b.h": '#include "common/base/c.h"\n#include "learner/not_in_the_map/d.h"',
            "common/base/c.h": "#include <vector>",
        }
        self.assertEqual(self.found(files), [])

    def test_upstairs_is_found(self):
        files = {
            "docs/house.md": _MAP,
            "learner/batch/b.h": '\n#include "learner/run/a.h"',
            "common/base/c.h": '#include "learner/batch/b.h"',
        }
        found = self.found(files)
        self.assert_places(found, ["common/base/c.h:1", "learner/batch/b.h:2"])
        self.assertIn("docs/house.md:1, above learner/batch/ on line 2", found[1])
