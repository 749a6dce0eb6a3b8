// Who did what in the step before, and, of the agent chosen, everything it observes now.
const MOST_ROWS = 200; // of a table: agents beyond are counted, numbers beyond are not listed

class AgentTable {
  // `choose(agent)` and `pin(number)` are called when the reader picks an agent, or a number it observes.
  constructor(episode, { choose, pin }) {
    this.episode = episode;
    this.choose = choose;
    this.pin = pin;
    this.rows = [];
    const body = element("tbody");
    const several = episode.groups.length > 1;
    episode.agents.slice(0, MOST_ROWS).forEach((agent, index) => {
      if (several && agent.index === 0) body.append(this.groupRow(episode.groups[agent.group]));
      body.append(this.agentRow(agent, index));
    });
    const heads = [["Agent", ""], ["Did", ""], ["Reward", "number"]];
    const head = element("tr", {}, ...heads.map(([name, kind]) => element("th", { class: kind, scope: "col" }, name)));
    const table = element("table", { class: "agents" }, element("thead", {}, head), body);
    this.observed = element("div", { class: "observed" });
    this.root = element("div", {}, element("div", { class: "scroll", tabindex: "-1" }, table), this.observed);
    if (episode.agents.length > MOST_ROWS) {
      this.root.append(element("p", { class: "left-out" }, `${episode.agents.length - MOST_ROWS} more agents`));
    }
  }

  groupRow(group) {
    const team = group.team ? `${group.name}, team ${group.team}` : group.name;
    return element("tr", { class: "group" }, element("td", { colspan: "3" }, team));
  }

  agentRow(agent, index) {
    const did = element("td", { class: "did" });
    const reward = element("td", { class: "number" });
    const row = element("tr", { tabindex: "0" }, element("td", {}, agent.name), did, reward);
    row.addEventListener("click", () => this.choose(index));
    row.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.choose(index);
    });
    this.rows.push({ row, did, reward });
    return row;
  }

  show(frame, chosen) {
    const { actions, rewards, alive } = this.episode.frames[frame];
    this.rows.forEach(({ row, did, reward }, agent) => {
      did.textContent = actions.length > 0 ? this.episode.texts[actions[agent]] : "";
      did.title = did.textContent;
      reward.textContent = actions.length > 0 ? shown(rewards[agent]) : "";
      row.classList.toggle("dead", !alive[agent]);
      row.classList.toggle("chosen", agent === chosen);
    });
    this.showObserved(frame, chosen);
  }

  showObserved(frame, chosen) {
    if (chosen !== this.listed) this.listObserved(chosen);
    if (chosen === null) return;
    const numbers = this.episode.observationOf(frame, chosen);
    const { observed } = this.episode.groups[this.episode.agents[chosen].group];
    this.cells.forEach(({ value, bar }, i) => {
      const [, unit, dividedBy] = observed[i] || ["", "", 1];
      const known = numbers[i] !== undefined && numbers[i] !== null;
      value.textContent = known ? `${shown(numbers[i] * dividedBy)} ${unit}`.trim() : "left out";
      const length = known ? Math.min(1, Math.abs(numbers[i])) * 50 : 0;
      bar.style.left = `${numbers[i] < 0 ? 50 - length : 50}%`;
      bar.style.width = `${length}%`;
    });
  }

  listObserved(chosen) {
    this.listed = chosen;
    this.cells = [];
    this.observed.replaceChildren();
    if (chosen === null) return;
    const agent = this.episode.agents[chosen];
    const group = this.episode.groups[agent.group];
    const body = element("tbody");
    for (let i = 0; i < Math.min(group.observation_size, MOST_ROWS); ++i) {
      const [name, , , meaning] = group.observed[i] || [`number ${i}`, "", 1, ""];
      const bar = element("i");
      const value = element("td", { class: "number" });
      const row = element("tr", { title: meaning ? `${meaning}; a click charts it` : "a click charts it" },
        element("td", {}, name), value, element("td", {}, element("div", { class: "bar" }, bar)));
      row.addEventListener("click", () => this.pin(i));
      this.cells.push({ value, bar });
      body.append(row);
    }
    this.observed.append(element("h3", {}, `${agent.name} observes`),
      element("div", { class: "scroll", tabindex: "-1" }, element("table", {}, body)));
  }
}
