import shutil
import subprocess
import unittest

from made_up_tree import RuleTest
from tree import Skipped

_BIN = "build/release/bin"


@unittest.skipIf(shutil.which("readelf") is None or shutil.which("cc") is None, "needs readelf and a C compiler")
class ProgramLibraries(RuleTest):
    def link(self, program, *libraries):
        """A program that needs empty libraries of these names."""
        self.write({"empty.c": "", "main.c": "int main(void) { return 0; }"})
        (self.root / _BIN).mkdir(parents=True, exist_ok=True)
        for library in libraries:
            self.run_cc("-shared", "-o", library, f"-Wl,-soname,{library}", "empty.c")
        self.run_cc("-o", f"{_BIN}/{program}", "main.c", "-Wl,--no-as-needed", *libraries)

    def run_cc(self, *arguments):
        subprocess.run(["cc", *arguments], cwd=self.root, check=True, timeout=60)

    def test_skipped_with_a_word_when_nothing_is_built(self):
        with self.assertRaisesRegex(Skipped, "are not built"):
            self.found({"common/a.h": ""})

    def test_other_libraries_are_free(self):
        self.link("actor_worker", "libgrpc.so.29", "libprotobuf.so.32")
        self.link("learner")
        self.assertEqual(self.found({}), [])

    def test_libtorch_onednn_and_openmp_are_found(self):
        self.link("actor_worker", "libtorch_cpu.so", "libgrpc.so.29", "libc10.so", "libdnnl.so.2")
        self.link("learner", "libgomp.so.1")
        found = self.found({})
        names = [line.rpartition(" ")[2] for line in found]
        self.assertEqual(names, ["libc10.so", "libdnnl.so.2", "libtorch_cpu.so", "libgomp.so.1"])
        self.assertTrue(found[0].startswith(f"{self.root.resolve()}/{_BIN}/actor_worker:1: links "), found[0])
