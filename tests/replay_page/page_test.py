#!/usr/bin/env python3
"""page_test.py BIN_FOLDER: replay pages in a real browser. With PICTURES=FOLDER in the environment it leaves pictures
of every page there, light and dark."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import browser  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
PICTURES = os.environ.get("PICTURES")

# What is played, and by whom. Those that need a simulator which is not installed are left out by the worker's word.
PAGES = {
    "traffic_grid": ("traffic_grid", "random,longest_queue_first", ["--every=2"]),
    "retail": ("retail", "random,seasonal_shipping", []),
    "payments": ("payments", "random,spill_over", []),
    "simple_spread": ("simple_spread", "random,assignment", []),
    "simple_tag": ("simple_tag", "random,chase_and_evade", []),
    "simple_adversary": ("simple_adversary", "random,cover_and_follow", []),
    "simple_reference": ("simple_reference", "random,say_and_go", []),
    "simple_speaker_listener": ("simple_speaker_listener", "random,say_and_go", []),
    "smax": ("smax", "random,attack_nearest", []),
    "grid_world": ("grid_world", "random,optimal", []),
    "memory": ("memory", "random,optimal", []),
    "pendulum": ("pendulum", "random,swing_up", []),
    "matrix_game": ("matrix_game", "random,optimal", []),
    "signal": ("signal", "random,optimal", []),  # draws nothing: what agents observe is shown
}
STEP = "document.getElementById('now').textContent"
AT = "Number(document.getElementById('scrub').value)"
LAST = "Number(document.getElementById('scrub').max)"


def replay(folder, name):
    environment, players, more = PAGES[name]
    path = folder / f"{name}.html"
    command = [BIN / "actor_worker", "replay", f"--environment={environment}", f"--controller={players}"]
    subprocess.run([*command, f"--out={path}", "--seed=7", *more], check=True, capture_output=True, timeout=120)
    return path


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-pages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.browser = cls.enterClassContext(browser.Browser(browser.find()))

    def setUp(self):
        self.browser.complaints.clear()

    def open(self, path, **how):
        self.browser.open(path, **how)
        self.assertEqual(self.browser.complaints, [])

    def pixels(self, card=0):
        """The picture of a player's state."""
        return self.browser.value(f"document.querySelectorAll('#players canvas')[{card}].toDataURL()")

    def test_every_environment_has_a_page_without_complaints(self):
        for name, (_, players, _) in PAGES.items():
            with self.subTest(name):
                self.open(replay(self.folder, name))
                cards = self.browser.value("document.querySelectorAll('#players article').length")
                self.assertEqual(cards, players.count(",") + 1)
                sizes = "[...document.querySelectorAll('#players canvas')].flatMap(c => [c.width, c.height])"
                self.assertGreater(min(self.browser.value(sizes)), 100)
                first = self.pixels()
                self.browser.press("End")
                self.assertEqual(self.browser.value(AT), self.browser.value(LAST))
                self.assertNotEqual(self.pixels(), first)
                self.assertEqual(self.browser.complaints, [])
                if PICTURES:
                    self.take_pictures(name)

    def take_pictures(self, name):
        for theme, share in (("light", 0.5), ("dark", 0.25)):
            step = int(self.browser.value("document.getElementById('now').textContent.split(' ')[3]")) * share
            self.browser.open(self.folder / f"{name}.html", fragment=f"#step={int(step)}&agent=0&theme={theme}",
                              height=1500)
            self.browser.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
            self.browser.picture(f"{PICTURES}/{name}_{theme}.png")

    def test_keys_go_through_the_episode(self):
        self.open(replay(self.folder, "grid_world"))
        last = self.browser.value(LAST)
        steps = [("ArrowRight", False, 1), ("ArrowRight", True, 11), ("ArrowLeft", False, 10), ("Home", False, 0),
                 ("ArrowLeft", False, 0), ("End", False, last), ("ArrowRight", False, last)]
        for key, shift, at in steps:
            self.browser.press(key, shift=shift)
            self.assertEqual(self.browser.value(AT), at, key)
        self.assertEqual(self.browser.value(STEP), f"step {last} of {last}")

    def test_the_slider_and_the_charts_go_where_they_are_pulled(self):
        self.open(replay(self.folder, "retail"))
        self.browser.value("document.getElementById('scrub').value = 20,"
                           "document.getElementById('scrub').dispatchEvent(new Event('input'))")
        self.assertEqual(self.browser.value(STEP), "step 20 of 52")
        self.browser.pointer("mousePressed", "#charts svg[role=img]", across=0.99)
        self.browser.pointer("mouseReleased", "#charts svg[role=img]", across=0.99)
        self.assertEqual(self.browser.value(STEP), "step 52 of 52")
        self.browser.pointer("mousePressed", "#charts svg[role=img]", across=0.05)
        self.browser.pointer("mouseReleased", "#charts svg[role=img]", across=0.05)
        self.assertEqual(self.browser.value(STEP), "step 0 of 52")

    def test_it_plays_to_the_end_and_pauses(self):
        self.open(replay(self.folder, "memory"))
        self.browser.value("document.getElementById('speed').value = 60")
        self.browser.press(" ", text=" ")
        ended = ("new Promise(done => { const look = () => document.getElementById('play').textContent === 'Play'"
                 " ? done(true) : requestAnimationFrame(look); look(); })")
        self.assertEqual(self.browser.value("document.getElementById('play').textContent"), "Pause")
        self.assertTrue(self.browser.value(ended))
        self.assertEqual(self.browser.value(AT), self.browser.value(LAST))
        self.browser.press(" ", text=" ")
        self.browser.press(" ", text=" ")
        self.assertEqual(self.browser.value("document.getElementById('play').textContent"), "Play")
        self.assertLess(self.browser.value(AT), self.browser.value(LAST))

    def test_a_chosen_agent_is_charted_and_shows_what_it_observes(self):
        self.open(replay(self.folder, "pendulum"))
        before = self.browser.value("document.querySelectorAll('#charts .chart').length")
        self.browser.click(".agents tbody tr")
        titles = self.browser.value("[...document.querySelectorAll('#charts h3')].map(of => of.textContent)")
        self.assertEqual(len(titles), before + 2)
        self.assertIn("pendulum_0: actions", titles)
        names = self.browser.value("[...document.querySelectorAll('.observed tr')].map(of => of.cells[0].textContent)")
        self.assertEqual(names[:3], ["cosine", "sine", "speed"])
        self.browser.click(".observed tr")
        titles = self.browser.value("[...document.querySelectorAll('#charts h3')].map(of => of.textContent)")
        self.assertIn("pendulum_0 observes cosine", titles)
        self.browser.click(".agents tbody tr")
        self.assertEqual(self.browser.value("document.querySelectorAll('#charts .chart').length"), before)

    def test_pointing_says_what_it_is_and_the_theme_changes(self):
        self.open(replay(self.folder, "grid_world"))
        said = set()
        for across in range(1, 20):
            self.browser.pointer("mouseMoved", "#players canvas", across=0.26 + across / 40, down=0.5)
            said.add(self.browser.value("document.getElementById('tip').textContent"))
        self.assertTrue(any("row 2, column" in of for of in said), said)
        light = self.pixels()
        self.browser.press("t")
        self.assertEqual(self.browser.value("document.documentElement.dataset.theme"), "dark")
        self.assertNotEqual(self.pixels(), light)

    def test_environments_that_draw_nothing_show_what_agents_observe(self):
        self.open(replay(self.folder, "signal"))
        said = set()
        for across in range(1, 20):
            self.browser.pointer("mouseMoved", "#players canvas", across=across / 20, down=0.3)
            said.add(self.browser.value("document.getElementById('tip').textContent"))
        self.assertLessEqual({"caller_0: cue_0", "caller_0: step"}, {of.rpartition(" ")[0] for of in said})

    def test_names_are_shown_and_never_obeyed(self):
        page = replay(self.folder, "grid_world").read_text()
        hostile = "</script><img src=x onerror=document.title='obeyed'>"
        written = json.dumps(hostile).replace("<", "\\u003c").replace(">", "\\u003e")
        changed = self.folder / "hostile.html"
        changed.write_text(page.replace('"random"', written).replace('"up"', written))
        self.open(changed)
        self.assertEqual(self.browser.value("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.browser.value("document.querySelector('article h2').textContent"), hostile)
        self.assertNotIn("obeyed", self.browser.value("document.title").replace(hostile, ""))

    def test_the_page_fetches_nothing(self):
        self.open(replay(self.folder, "matrix_game"))
        self.assertEqual(self.browser.value("performance.getEntriesByType('resource').length"), 0)


if __name__ == "__main__":
    if not browser.find():
        print("skipped: no browser; deploy/setup.sh --tests installs chromium")
        sys.exit(77)
    unittest.main()
