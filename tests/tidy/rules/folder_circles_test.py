from made_up_tree import RuleTest


class FolderCircles(RuleTest):
    def test_a_staircase_is_none(self):
        files = {
            "common/base/a.h": "",
            "common/files/b.h": '#include "common/base/a.h"',
            "common/files/c.h": '#include "common/files/b.h"',
            "learner/run/d.cc": '#include "common/files/b.h"\n#include "common/base/a.h"\n#include <learner>',
        }
        self.assertEqual(self.found(files), [])

    def test_two_folders_that_include_each_other_are_told_on_both_sides(self):
        files = {
            "common/base/a.h": "",
            "common/base/b.h": '#include "common/files/c.h"',
            "common/files/c.h": "",
            "common/files/d.cc": '\n#include "common/base/a.h"',
        }
        found = self.found(files)
        self.assert_places(found, ["common/base/b.h:1", "common/files/d.cc:2"])
        self.assertIn("common/base → common/files → common/base", found[0])

    def test_a_circle_of_three_without_a_circle_of_files(self):
        files = {
            "learner/a/1.h": '#include "learner/b/1.h"',
            "learner/b/1.h": "",
            "learner/b/2.h": '#  include "learner/c/1.h"',
            "learner/c/2.h": '#include "learner/a/2.h"',
            "learner/d/1.h": '#include "learner/a/1.h"',
        }
        self.assert_places(self.found(files), ["learner/a/1.h:1", "learner/b/2.h:1", "learner/c/2.h:1"])

    def test_a_folder_and_the_one_it_lies_in_are_two(self):
        files = {
            "actor_worker/environments/a.h": '#include "actor_worker/environments/grid/b.h"',
            "actor_worker/environments/grid/b.h": '#include "actor_worker/environments/c.h"',
        }
        self.assertEqual(len(self.found(files)), 2)
