from made_up_tree import RuleTest


class LibTorchFolders(RuleTest):
    def test_in_the_list_and_nowhere_else(self):
        files = {
            "learner/torch/a.h": "#include <ATen/ATen.h>",
            "learner/ranks/b.cc": "void F(at::Tensor* t);",
            "learner/run/c.cc": "// at::Tensor is LibTorch's.\nstd::format::x();\nmy::at::y();\n#include <torchy.h>",
        }
        self.assertEqual(self.found(files, allowed=("learner/ranks", "learner/torch")), [])

    def test_headers_and_names_elsewhere_are_found_in_every_spelling(self):
        files = {
            "common/base/a.h": "#include <torch/types.h>",
            "learner/run/b.cc": '#include "learner/torch/torch_headers.h"\n#include "torch/csrc/Store.hpp"',
            "learner/run/c.cc": "#include <c10/core/Event.h>\n#include <ATen/Parallel.h>\n\n  at::Tensor x;  // here",
            "actor_worker/d.h": "using torch::Tensor;\nc10::Device d;",
        }
        places = ["actor_worker/d.h:1", "actor_worker/d.h:2", "common/base/a.h:1", "learner/run/b.cc:1"]
        places += ["learner/run/b.cc:2", "learner/run/c.cc:1", "learner/run/c.cc:2", "learner/run/c.cc:4"]
        self.assert_places(self.found(files, allowed=()), places)

    def test_a_folder_below_one_of_the_list_is_another(self):
        files = {"learner/ranks/a.cc": "at::Tensor x;", "learner/ranks/more/b.cc": "at::Tensor x;"}
        self.assert_places(self.found(files, allowed=("learner/ranks",)), ["learner/ranks/more/b.cc:1"])

    def test_who_needs_it_no_more_leaves_the_list(self):
        files = {
            "learner/algorithms/a.cc": "// at::Tensor was here.",
            "tests/tidy/rules/libtorch_folders.py": 'ALLOWED = (\n    "learner/algorithms",\n)',
        }
        found = self.found(files, allowed=("learner/algorithms",))
        self.assert_places(found, ["tests/tidy/rules/libtorch_folders.py:2"])
        self.assertIn("learner/algorithms does without", found[0])
