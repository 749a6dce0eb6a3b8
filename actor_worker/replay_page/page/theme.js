// Colours by what they mean; light or dark as the reader's system has it, until the reader says otherwise.
const theme = {
  inks: ["transparent", "--text", "--faint", "--ground", "--paper", "--good", "--warning", "--bad"],
  firstTeam: 8,
  teams: 8,
  listeners: [],
  colours: [],

  begin(asked) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    this.set(asked || (dark.matches ? "dark" : "light"));
    dark.addEventListener("change", () => this.set(dark.matches ? "dark" : "light"));
  },
  set(name) {
    document.documentElement.dataset.theme = name;
    document.getElementById("theme").textContent = name === "dark" ? "☀ light" : "☾ dark";
    const style = getComputedStyle(document.documentElement);
    const named = this.inks.map((ink) => (ink.startsWith("--") ? style.getPropertyValue(ink).trim() : ink));
    for (let team = 0; team < this.teams; ++team) named.push(style.getPropertyValue(`--team-${team}`).trim());
    this.colours = named;
    for (const listener of this.listeners) listener();
  },
  toggle() {
    this.set(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  },
  ink(index) {
    return this.colours[index] || this.colours[1];
  },
  team(index) {
    return `var(--team-${index % this.teams})`;
  },
};

// What is being pointed at, in words, beside the pointer.
const tip = {
  show(event, text) {
    const box = document.getElementById("tip");
    box.hidden = !text;
    if (!text) return;
    box.textContent = text;
    const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, event.clientY - box.offsetHeight - 8)}px`;
  },
  hide() {
    document.getElementById("tip").hidden = true;
  },
};
