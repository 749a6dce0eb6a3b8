from made_up_tree import RuleTest


class DocumentLinks(RuleTest):
    def test_links_that_lead_somewhere_are_free(self):
        files = {
            "README.md": "# Top\n[a](docs/a.md), [b](docs/a.md#two-words-1) and [c](#top), [d](docs)\n"
            "[e](https://example.org/nothing) [f](mailto:a@example.org)",
            "docs/a.md": "## Two `words`\n## Two words\n[up](../README.md#top)",
        }
        self.assertEqual(self.found(files), [])

    def test_links_to_nothing_are_found(self):
        files = {
            "README.md": "[a](docs/b.md)\n[b](docs/a.md#three)\n[c](#nowhere) [d](docs/a.md)",
            "docs/a.md": "# Two\n[up](README.md)",
        }
        found = self.found(files)
        self.assert_places(found, ["README.md:1", "README.md:2", "README.md:3", "docs/a.md:2"])
        self.assertIn("there is no docs/b.md", found[0])
        self.assertIn("has no heading #three", found[1])

    def test_code_has_no_links(self):
        self.assertEqual(self.found({"a.md": "```\n[a](b.md)\n```\n`x[i](j)` and x[i]\\(j)"}), [])
