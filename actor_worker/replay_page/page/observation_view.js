// Of environments that draw nothing: what every agent observes, a row each, from −1 (orange) over 0 to 1 (blue).
class ObservationView {
  constructor(episode) {
    this.episode = episode;
    this.rowHeight = Math.max(6, Math.min(40, Math.floor(320 / episode.agents.length)));
    this.canvas = element("canvas", { role: "img", "aria-label": "What every agent observes" });
    this.canvas.style.height = `${Math.max(60, episode.agents.length * this.rowHeight + 8)}px`;
    this.frame = 0;
    new ResizeObserver(() => this.draw(this.frame)).observe(this.canvas);
    theme.listeners.push(() => this.draw(this.frame));
    this.canvas.addEventListener("pointermove", (event) => tip.show(event, this.noteAt(event)));
    this.canvas.addEventListener("pointerleave", () => tip.hide());
  }

  draw(frame) {
    this.frame = frame;
    const { canvas, episode } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    episode.agents.forEach((agent, row) => {
      const numbers = episode.observationOf(frame, row);
      const width = (canvas.clientWidth - 8) / Math.max(1, numbers.length);
      numbers.forEach((value, column) => {
        context.globalAlpha = Math.min(1, Math.abs(value ?? 0)) * 0.95 + 0.05;
        context.fillStyle = theme.ink(theme.firstTeam + (value < 0 ? 1 : 0));
        context.fillRect(4 + column * width, 4 + row * this.rowHeight, Math.max(1, width - 1), this.rowHeight - 2);
      });
    });
  }

  noteAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - 4) / this.rowHeight);
    const agent = this.episode.agents[row];
    if (!agent) return "";
    const numbers = this.episode.observationOf(this.frame, row);
    const column = Math.floor(((event.clientX - box.left - 4) / (box.width - 8)) * numbers.length);
    if (!(column in numbers)) return "";
    const [name] = this.episode.groups[agent.group].observed[column] || [`number ${column}`];
    return `${agent.name}: ${name} ${shown(numbers[column])}`;
  }
}
