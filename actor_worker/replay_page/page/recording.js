// A player's episode as recorded (recording_json.cc), its drawings spelled out.
class Episode {
  constructor(data) {
    Object.assign(this, data);
    this.steps = this.frames.map((frame) => frame.step);
    this.drawings = Episode.spellOut(this.frames);
    this.agents = this.groups.flatMap((group, g) => group.agents.map((name, a) => ({ name, group: g, index: a })));
    this.hasMap = this.map[2] > this.map[0];
  }

  // The shapes of every frame, by place: each frame names only those that changed.
  static spellOut(frames) {
    let shapes = [];
    return frames.map((frame) => {
      shapes = shapes.slice(0, frame.shapes);
      for (let i = 0; i < frame.changes.length; i += 2) shapes[frame.changes[i]] = frame.changes[i + 1];
      return shapes;
    });
  }

  // The last frame that is not after the step.
  frameAt(step) {
    let low = 0;
    let high = this.steps.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.steps[middle] <= step) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  factsOf(frame) {
    const facts = [];
    const { facts: pairs } = this.frames[frame];
    for (let i = 0; i < pairs.length; i += 2) facts.push([this.texts[pairs[i]], this.texts[pairs[i + 1]]]);
    return facts;
  }

  // What an agent observes in a frame; empty where it was left out.
  observationOf(frame, agent) {
    const { observations } = this.frames[frame];
    return observations.slice(this.offset("observation_size", agent), this.offset("observation_size", agent, 1));
  }

  controlsOf(frame, agent) {
    const size = this.groups[this.agents[agent].group].controls.length;
    const before = this.agents.slice(0, agent).reduce((sum, of) => sum + this.groups[of.group].controls.length, 0);
    return this.frames[frame].controls.slice(before, before + size);
  }

  // Where the agent's numbers begin, or with `past` end, in a list of all agents'.
  offset(size, agent, past = 0) {
    const { group, index } = this.agents[agent];
    let before = 0;
    for (let g = 0; g < group; ++g) before += this.groups[g][size] * this.groups[g].agents.length;
    return before + (index + past) * this.groups[group][size];
  }
}

// A number as it is shown: four digits that matter.
function shown(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) < 1e-9) return "0";
  const text = value.toPrecision(4);
  return text.includes("e") ? text : String(Number(text));
}

// An element with text or children, never with HTML.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
