from made_up_tree import RuleTest


def _header(guard, comment="// A half.\n", end=None):
    return f"{comment}#ifndef {guard}\n#define {guard}\n\nint x;\n\n#endif  // {end or guard}"


class HeaderGuards(RuleTest):
    def test_the_path_in_capitals_is_free(self):
        files = {
            "common/base/half.h": _header("TROUPE_COMMON_BASE_HALF_H_"),
            "a/b-c.h": _header("TROUPE_A_B_C_H_", comment=""),
            "a/d.cc": "",
        }
        self.assertEqual(self.found(files), [])

    def test_another_name_none_or_an_end_of_another(self):
        files = {
            "a/b.h": _header("TROUPE_C_B_H_"),
            "a/c.h": "// Nothing.",
            "a/d.h": "#pragma once\nint x;",
            "a/e.h": _header("TROUPE_A_E_H_", end="TROUPE_A_F_H_"),
            "a/f.h": _header("TROUPE_A_F_H_").replace("#define TROUPE_A_F_H_", "#define TROUPE_A_F_H"),
        }
        self.assert_places(self.found(files), ["a/b.h:2", "a/c.h:1", "a/d.h:1", "a/e.h:7", "a/f.h:3"])
