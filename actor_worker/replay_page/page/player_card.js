// One player: who it is, the state, the agents, and how the episode ended.
class PlayerCard {
  constructor(episode, place, picks) {
    this.episode = episode;
    this.view = episode.hasMap ? new SceneView(episode) : new ObservationView(episode);
    this.table = new AgentTable(episode, picks);
    this.badge = element("span", { class: "badge" });
    this.facts = element("dl", { class: "facts" });
    const mark = element("span", { class: "mark", style: `background:${theme.team(place)}` });
    const side = element("div", { class: "side" }, this.table.root, PlayerCard.outcome(episode));
    this.root = element("article", { class: "card", "aria-label": episode.player },
      element("div", { class: "who" }, mark, element("h2", {}, episode.player), element("small", {}, episode.how),
        this.badge),
      this.facts, this.view.canvas,
      ...episode.left_out.map((sentence) => element("p", { class: "left-out" }, sentence)), side);
  }

  static outcome(episode) {
    const rows = episode.outcome.map(([name, value]) => (
      element("tr", {}, element("td", {}, name), element("td", { class: "number" }, shown(value)))));
    return element("div", { class: "outcome" }, element("h3", {}, `At the end, after ${episode.length} steps`),
      element("div", { class: "scroll", tabindex: "-1" }, element("table", {}, element("tbody", {}, ...rows))));
  }

  // `fraction` of the way from the frame at `step` to the one after.
  show(step, fraction, chosen) {
    const { episode } = this;
    const frame = episode.frameAt(step);
    const over = frame === episode.frames.length - 1;
    this.view.draw(frame, over ? 0 : fraction);
    if (frame === this.frame && chosen === this.chosen) return;
    this.frame = frame;
    this.chosen = chosen;
    this.badge.textContent = !over ? `step ${episode.steps[frame]}`
      : episode.steps[frame] < episode.length ? `shown up to step ${episode.steps[frame]}`
        : `${episode.ending} after step ${episode.length}`;
    this.facts.replaceChildren(...episode.factsOf(frame).map(([name, value]) => (
      element("div", {}, element("dt", {}, `${name} `), element("dd", {}, value)))));
    this.table.show(frame, chosen);
  }
}
