// Lines over the episode with a mark at the step that is shown; a click or a drag goes to a step.
const SVG = "http://www.w3.org/2000/svg";
const FRAME = { width: 480, height: 170, left: 50, right: 10, top: 8, bottom: 20 };

function vector(tag, attributes = {}) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Round numbers from low to high, about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((of) => of * power).find((of) => of >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) found.push(Number((i * step).toPrecision(12)));
  return found;
}

class Chart {
  // lines: [{ name, colour, dashed, steps, values }], values null where there is none.
  constructor(title, lines, lastStep, seek) {
    this.lines = lines;
    this.lastStep = Math.max(1, lastStep);
    this.scale();
    this.svg = vector("svg", { viewBox: `0 0 ${FRAME.width} ${FRAME.height}`, role: "img" });
    this.svg.setAttribute("aria-label", `${title} over the episode`);
    this.drawAxes();
    for (const line of lines) this.drawLine(line);
    this.cursor = vector("line", { class: "cursor", y1: FRAME.top, y2: FRAME.height - FRAME.bottom });
    this.svg.append(this.cursor);
    this.legend = lines.map((line) => ({ line, value: element("b") }));
    const items = this.legend.map(({ line, value }) => element("li", {}, Chart.sample(line), `${line.name} `, value));
    this.root = element("div", { class: "card chart" }, element("h3", {}, title),
      element("ul", { class: "legend" }, ...items), this.svg);
    const go = (event) => {
      const box = this.svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * FRAME.width;
      const share = (x - FRAME.left) / (FRAME.width - FRAME.left - FRAME.right);
      seek(Math.round(Math.min(1, Math.max(0, share)) * this.lastStep));
    };
    this.svg.addEventListener("pointerdown", (event) => {
      this.svg.setPointerCapture(event.pointerId);
      go(event);
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) go(event);
    });
  }

  static sample(line) {
    const sample = vector("svg", { viewBox: "0 0 26 8" });
    sample.append(vector("line", { x1: 1, x2: 25, y1: 4, y2: 4, "stroke-width": 3, style: `stroke:${line.colour}`,
      "stroke-dasharray": line.dashed ? "6 4" : "none" }));
    return sample;
  }

  scale() {
    let [low, high] = [Infinity, -Infinity];
    for (const line of this.lines) {
      for (const value of line.values) {
        if (value === null || value === undefined) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (low > high) [low, high] = [0, 1];
    if (high - low < 1e-9 * Math.max(1, Math.abs(high))) [low, high] = [low - 0.5, high + 0.5];
    if (low > 0 && low < 0.4 * high) low = 0;
    if (high < 0 && high > 0.4 * low) high = 0;
    const margin = 0.04 * (high - low);
    this.low = low === 0 ? 0 : low - margin;
    this.high = high === 0 ? 0 : high + margin;
  }

  x(step) {
    return FRAME.left + (step / this.lastStep) * (FRAME.width - FRAME.left - FRAME.right);
  }

  y(value) {
    return FRAME.top + ((this.high - value) / (this.high - this.low)) * (FRAME.height - FRAME.top - FRAME.bottom);
  }

  drawAxes() {
    const text = (x, y, anchor, words) => {
      const label = vector("text", { x, y, "text-anchor": anchor });
      label.textContent = words;
      this.svg.append(label);
    };
    for (const value of ticks(this.low, this.high, 3)) {
      const y = this.y(value);
      this.svg.append(vector("line", { class: "axis", x1: FRAME.left, x2: FRAME.width - FRAME.right, y1: y, y2: y }));
      text(FRAME.left - 5, y + 3.5, "end", shown(value));
    }
    for (const step of ticks(0, this.lastStep, 5).filter(Number.isInteger)) {
      text(this.x(step), FRAME.height - 5, "middle", shown(step));
    }
  }

  drawLine(line) {
    let path = "";
    let down = false;
    line.values.forEach((value, i) => {
      const known = value !== null && value !== undefined;
      if (known) path += `${down ? "L" : "M"}${this.x(line.steps[i]).toFixed(1)} ${this.y(value).toFixed(1)}`;
      down = known;
    });
    this.svg.append(vector("path", { d: path, style: `stroke:${line.colour}`, "vector-effect": "non-scaling-stroke",
      "stroke-dasharray": line.dashed ? "5 4" : "none" }));
  }

  show(step) {
    const x = this.x(step);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    for (const { line, value } of this.legend) {
      let at = line.steps.length - 1;
      while (at > 0 && line.steps[at] > step) --at;
      value.textContent = shown(line.values[at]);
    }
  }
}

// The charts of a page: returns, what the environment charts, and what the reader has picked of an agent.
class ChartBoard {
  constructor(root, episodes, lastStep, seek) {
    Object.assign(this, { root, episodes, lastStep, seek, charts: [], picked: [], step: 0 });
    for (const name of this.names((episode) => episode.groups.map((group) => `return of ${group.name}`))) {
      this.add(this.charts, name, [name], (episode) => {
        const group = episode.groups.findIndex((of) => `return of ${of.name}` === name);
        return group < 0 ? null : episode.frames.map((frame) => frame.returns[group]);
      });
    }
    for (const chart of this.names((episode) => episode.figures.map(([of]) => of))) {
      const series = this.names((episode) => episode.figures.filter(([of]) => of === chart).map(([, name]) => name));
      this.add(this.charts, chart, series, (episode, name) => {
        const figure = episode.figures.findIndex(([of, line]) => of === chart && line === name);
        return figure < 0 ? null : episode.frames.map((frame) => frame.figures[figure] ?? null);
      });
    }
  }

  // What the episodes have, each name once.
  names(of) {
    return [...new Set(this.episodes.flatMap(of))];
  }

  // A chart of these series: told apart by player where there is one, else by colour, and players by dashes.
  add(list, title, series, valuesOf) {
    const lines = [];
    series.forEach((name, s) => {
      const found = this.episodes.map((episode) => ({ episode, values: valuesOf(episode, name) }));
      const all = found.flatMap(({ values }) => values || []);
      if (series.length > 1 && all.length > 0 && all.every((value) => value === all[0])) {
        const steps = [0, this.lastStep];
        lines.push({ name, colour: "var(--faint)", dashed: false, steps, values: [all[0], all[0]] });
        return;
      }
      found.forEach(({ episode, values }, player) => {
        if (!values) return;
        const alone = series.length === 1;
        const named = this.episodes.length === 1 ? (alone ? "" : name) : alone ? episode.player : `${name}, ${episode.player}`;
        lines.push({ name: named, values, steps: episode.steps, dashed: !alone && player > 0,
          colour: theme.team(alone ? player : s + (this.episodes.length > 1 ? 2 : 0)) });
      });
    });
    if (lines.length === 0) return;
    const chart = new Chart(title, lines, this.lastStep, this.seek);
    list.push(chart);
    this.root.append(chart.root);
    chart.show(this.step);
  }

  // The reader's agent, by its place among all of them, and the numbers it observes that are to be charted.
  pick(agent, numbers) {
    for (const chart of this.picked) chart.root.remove();
    this.picked = [];
    if (agent === null) return;
    const { name, group } = this.episodes[0].agents[agent];
    const has = (episode) => episode.agents[agent] && episode.agents[agent].name === name;
    const chart = (title, series, valueOf) => this.add(this.picked, title, series, (episode, line) => (
      has(episode) ? episode.frames.map((frame, f) => valueOf(episode, f, line)) : null));
    chart(`${name}: reward`, ["reward"], (episode, f) => episode.frames[f].rewards[agent]);
    const { controls, observed } = this.episodes[0].groups[group];
    if (controls.length > 0) {
      chart(`${name}: actions`, controls, (episode, f, line) => (
        episode.controlsOf(f, agent)[controls.indexOf(line)] ?? null));
    }
    for (const number of numbers) {
      const [title, unit, dividedBy] = observed[number] || [`number ${number}`, "", 1];
      chart(`${name} observes ${title}${unit ? `, ${unit}` : ""}`, [title], (episode, f) => {
        const value = episode.observationOf(f, agent)[number];
        return value === undefined || value === null ? null : value * dividedBy;
      });
    }
  }

  show(step) {
    this.step = step;
    for (const chart of [...this.charts, ...this.picked]) chart.show(step);
  }
}
