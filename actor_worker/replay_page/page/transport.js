// Where the page is in the episode, and how fast it goes on.
const SPEEDS = [1, 2, 4, 8, 15, 30, 60, 120, 240];

class Transport {
  // `steps`: of all frames, ascending; `show(step, fraction)` draws.
  constructor(steps, show) {
    Object.assign(this, { steps, show, at: 0, fraction: 0, playing: false });
    this.parts = Object.fromEntries(
      ["first", "back", "play", "forth", "last", "scrub", "now", "speed"].map((id) => [id, document.getElementById(id)]));
    const { parts } = this;
    parts.scrub.max = steps.length - 1;
    const wanted = steps.length / 40;
    const fitting = SPEEDS.find((speed) => speed >= wanted) || SPEEDS[SPEEDS.length - 1];
    for (const speed of SPEEDS) {
      const option = element("option", { value: speed }, `${speed} / s`);
      option.selected = speed === fitting;
      parts.speed.append(option);
    }
    parts.first.onclick = () => this.go(0);
    parts.last.onclick = () => this.go(steps.length - 1);
    parts.back.onclick = () => this.go(this.at - 1);
    parts.forth.onclick = () => this.go(this.at + 1);
    parts.play.onclick = () => this.toggle();
    parts.scrub.oninput = () => this.go(Number(parts.scrub.value));
    document.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const far = event.shiftKey ? 10 : 1;
    const keys = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.go(this.at - far),
      ArrowRight: () => this.go(this.at + far),
      Home: () => this.go(0),
      End: () => this.go(this.steps.length - 1),
      ArrowUp: () => this.faster(1),
      ArrowDown: () => this.faster(-1),
      t: () => theme.toggle(),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  faster(by) {
    const { speed } = this.parts;
    speed.selectedIndex = Math.min(SPEEDS.length - 1, Math.max(0, speed.selectedIndex + by));
  }

  // To a frame of `steps`; stops where it was playing.
  go(at) {
    this.pause();
    this.place(at, 0);
  }

  goToStep(step) {
    let at = 0;
    while (at + 1 < this.steps.length && this.steps[at + 1] <= step) ++at;
    this.go(at);
  }

  place(at, fraction) {
    this.at = Math.min(this.steps.length - 1, Math.max(0, at));
    this.fraction = fraction;
    const { scrub, now } = this.parts;
    scrub.value = this.at;
    scrub.setAttribute("aria-valuetext", `step ${this.steps[this.at]}`);
    now.textContent = `step ${this.steps[this.at]} of ${this.steps[this.steps.length - 1]}`;
    this.show(this.steps[this.at], fraction);
  }

  toggle() {
    if (this.playing) return this.go(this.at);
    if (this.at === this.steps.length - 1) this.place(0, 0);
    this.playing = true;
    this.parts.play.textContent = "Pause";
    let before = null;
    const tick = (time) => {
      if (!this.playing) return;
      const passed = before === null ? 0 : Math.min(0.25, (time - before) / 1000);
      before = time;
      this.advance(passed * SPEEDS[this.parts.speed.selectedIndex]);
      if (this.playing) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  advance(frames) {
    const position = this.at + this.fraction + frames;
    const at = Math.floor(position);
    if (at >= this.steps.length - 1) return this.go(this.steps.length - 1);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.place(at, position - at);
    if (still) this.show(this.steps[at], 0);
  }

  pause() {
    this.playing = false;
    this.parts.play.textContent = "Play";
  }
}
