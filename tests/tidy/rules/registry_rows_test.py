from made_up_tree import RuleTest

_REGISTRY = "actor_worker/environments/registry/registry.cc"

_TWO_ENVIRONMENTS = """namespace troupe {
EnvironmentEntry MazeEntry();
EnvironmentEntry PondEntry();

absl::Span<const EnvironmentEntry> AllEnvironments() {
  static const auto* const rows = new std::vector<EnvironmentEntry>{
      MazeEntry(),
      PondEntry(),
  };
  return *rows;
}
}  // namespace troupe"""


class EnvironmentRows(RuleTest):
    def tree(self, **changes):
        files = {
            _REGISTRY: _TWO_ENVIRONMENTS,
            "actor_worker/environments/maze.cc": 'EnvironmentEntry MazeEntry() {\n  return {.name = "maze", "y"};\n}',
            "actor_worker/environments/pond.cc": 'EnvironmentEntry PondEntry() { return {"pond", "y"}; }',
            "tests/environments/maze_test.cc": 'TEST(Maze, Ends) { FindEnvironment("maze"); }',
            "tests/environments/pond_test.cc": "EnvironmentEntry PondEntry();\nauto pond = PondEntry().create({});",
            "deploy/experiments/m.textproto": 'name: "m"\nenvironment {\n  # A maze.\n  name: "maze"\n}',
            "docs/ponds.md": "Frogs live in `pond`.",
        }
        self.assertLessEqual(set(changes), {name.replace("/", "__").replace(".", "_") for name in files})
        return {name: changes.get(name.replace("/", "__").replace(".", "_"), text) for name, text in files.items()}

    def test_rows_with_test_and_experiment_or_page_are_free(self):
        self.assertEqual(self.found(self.tree()), [])

    def test_a_row_no_test_names(self):
        found = self.found(self.tree(tests__environments__maze_test_cc='// "maze"\nauto x = "mazes";'))
        self.assert_places(found, [f"{_REGISTRY}:7"])
        self.assertIn('names "maze"', found[0])

    def test_to_declare_the_row_is_not_to_test_it(self):
        found = self.found(self.tree(tests__environments__pond_test_cc="EnvironmentEntry PondEntry();"))
        self.assert_places(found, [f"{_REGISTRY}:8"])

    def test_a_row_no_experiment_plays_and_no_page_names(self):
        another = 'name: "maze"\nenvironment { settings { key: "a" value: "b" } }\nother { name: "maze" }'
        found = self.found(self.tree(deploy__experiments__m_textproto=another, docs__ponds_md="Frogs live in ponds."))
        self.assert_places(found, [f"{_REGISTRY}:7", f"{_REGISTRY}:8"])

    def test_a_row_without_a_definition(self):
        found = self.found(self.tree(actor_worker__environments__maze_cc=""))
        self.assert_places(found, [f"{_REGISTRY}:7"])

    def test_a_registry_that_cannot_be_read_is_not_passed_over(self):
        found = self.found(self.tree(actor_worker__environments__registry__registry_cc="rows = {Maze, Pond};"))
        self.assert_places(found, [f"{_REGISTRY}:1"])


class AlgorithmRows(RuleTest):
    def test_rows_in_braces(self):
        registry = """absl::Span<const AlgorithmEntry> AllAlgorithms() {
  static const auto* const entries = new std::vector<AlgorithmEntry>{
      {"sarsa", "on-policy TD",
       &Sarsa::Create},
      {"reinforce", "Monte Carlo", &Reinforce::Create},
  };"""
        test = 'HasSubstr("did you mean \\"sarsa\\""); experiment.name = "reinforced";'
        files = {"learner/algorithms/registry/registry.cc": registry, "tests/algorithms/sarsa_test.cc": test}
        found = self.found(files)
        self.assert_places(found, ["learner/algorithms/registry/registry.cc:5"])
        self.assertIn('names "reinforce"', found[0])
