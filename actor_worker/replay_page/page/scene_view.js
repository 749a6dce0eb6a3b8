// Draws an episode's shapes on a canvas: between two frames where it plays, enlarged and moved as the reader likes.
const KIND = { circle: 0, box: 1, polygon: 2, line: 3, arrow: 4, text: 5 };
const AT = { kind: 0, ink: 1, opacity: 2, outline: 3, size: 4, align: 5, text: 6, note: 7, points: 8 };

class SceneView {
  constructor(episode) {
    this.episode = episode;
    this.canvas = element("canvas", { role: "img", "aria-label": "The environment's state" });
    this.zoom = 1;
    this.centre = null;
    this.last = { frame: 0, fraction: 0 };
    new ResizeObserver(() => this.fit()).observe(this.canvas);
    theme.listeners.push(() => this.redraw());
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.enlarge(event, Math.exp(-event.deltaY / 500));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => {
      this.zoom = 1;
      this.centre = null;
      this.redraw();
    });
    canvas.addEventListener("pointerdown", (event) => {
      if (this.zoom > 1) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1 && this.zoom > 1) this.move(event);
      else tip.show(event, this.noteAt(event));
    });
    canvas.addEventListener("pointerleave", () => tip.hide());
  }

  enlarge(event, factor) {
    const before = this.placeOf(event);
    this.zoom = Math.min(20, Math.max(1, this.zoom * factor));
    this.redraw();
    const after = this.placeOf(event);
    this.centre = this.zoom === 1 ? null
      : { x: this.middle.x + before.x - after.x, y: this.middle.y + before.y - after.y };
    this.redraw();
  }

  move(event) {
    this.centre = { x: this.middle.x - event.movementX / this.scale, y: this.middle.y + event.movementY / this.scale };
    this.redraw();
  }

  // The canvas takes the map's proportions, within reason.
  fit() {
    const [left, bottom, right, top] = this.episode.map;
    const width = this.canvas.clientWidth;
    if (width === 0) return;
    const tallest = Math.max(280, Math.min(innerHeight * 0.68, 640));
    const height = Math.round(Math.min(tallest, Math.max(150, (width * (top - bottom)) / (right - left))));
    const ratio = devicePixelRatio || 1;
    if (this.canvas.height !== Math.round(height * ratio) || this.canvas.width !== Math.round(width * ratio)) {
      this.canvas.style.height = `${height}px`;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    this.redraw();
  }

  redraw() {
    this.draw(this.last.frame, this.last.fraction);
  }

  // The state of `frame`, `fraction` of the way to the next.
  draw(frame, fraction) {
    this.last = { frame, fraction };
    const { canvas, episode } = this;
    const context = canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const [left, bottom, right, top] = episode.map;
    const width = canvas.width / ratio;
    const height = canvas.height / ratio;
    this.scale = Math.min((width - 16) / (right - left), (height - 16) / (top - bottom)) * this.zoom;
    this.middle = this.centre || { x: (left + right) / 2, y: (bottom + top) / 2 };
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.toX = (x) => width / 2 + (x - this.middle.x) * this.scale;
    this.toY = (y) => height / 2 - (y - this.middle.y) * this.scale;
    for (const shape of this.shapesBetween(frame, fraction)) this.drawShape(context, shape);
    context.globalAlpha = 1;
  }

  shapesBetween(frame, fraction) {
    const { shapes, drawings } = this.episode;
    const now = drawings[frame];
    const next = drawings[Math.min(frame + 1, drawings.length - 1)];
    if (fraction === 0 || now === next) return now.map((shape) => shapes[shape]);
    return now.map((shape, place) => SceneView.between(shapes[shape], shapes[next[place]], fraction));
  }

  // `from` on its way to `to`, where both are the same kind of shape.
  static between(from, to, fraction) {
    if (!to || from === to || from.length !== to.length || from[AT.kind] !== to[AT.kind]) return from;
    if (from[AT.ink] === 0 || to[AT.ink] === 0) return from;
    return from.map((value, i) => {
      const glides = i >= AT.points || i === AT.size || i === AT.opacity;
      return glides ? value + (to[i] - value) * fraction : value;
    });
  }

  drawShape(context, shape) {
    if (shape[AT.ink] === 0) return;
    const colour = theme.ink(shape[AT.ink]);
    context.globalAlpha = shape[AT.opacity] / 100;
    context.fillStyle = colour;
    context.strokeStyle = colour;
    if (shape[AT.kind] === KIND.text) return this.drawText(context, shape);
    this.trace(context, shape);
    const isLine = shape[AT.kind] === KIND.line || shape[AT.kind] === KIND.arrow;
    if (isLine || shape[AT.outline] > 0) {
      context.lineWidth = Math.max(0.8, (isLine ? shape[AT.size] : shape[AT.outline]) * this.scale);
      context.lineJoin = "round";
      context.stroke();
      if (shape[AT.kind] === KIND.arrow) this.drawHead(context, shape);
    } else {
      context.fill();
    }
  }

  trace(context, shape) {
    const [x, y] = [this.toX(shape[AT.points]), this.toY(shape[AT.points + 1])];
    context.beginPath();
    if (shape[AT.kind] === KIND.circle) {
      context.arc(x, y, Math.max(0.5, shape[AT.size] * this.scale), 0, 2 * Math.PI);
    } else if (shape[AT.kind] === KIND.box) {
      context.rect(x, y, this.toX(shape[AT.points + 2]) - x, this.toY(shape[AT.points + 3]) - y);
    } else {
      context.moveTo(x, y);
      for (let i = AT.points + 2; i < shape.length; i += 2) context.lineTo(this.toX(shape[i]), this.toY(shape[i + 1]));
      if (shape[AT.kind] === KIND.polygon) context.closePath();
    }
  }

  drawHead(context, shape) {
    const [x0, y0, x1, y1] = shape.slice(AT.points);
    const angle = Math.atan2(-(y1 - y0), x1 - x0);
    if (Math.hypot(x1 - x0, y1 - y0) * this.scale < 2) return;
    const length = Math.max(5, 3.2 * shape[AT.size] * this.scale);
    context.beginPath();
    const [x, y] = [this.toX(x1) + 0.35 * length * Math.cos(angle), this.toY(y1) + 0.35 * length * Math.sin(angle)];
    context.moveTo(x, y);
    for (const turn of [2.65, -2.65]) context.lineTo(x + length * Math.cos(angle + turn), y + length * Math.sin(angle + turn));
    context.closePath();
    context.fill();
  }

  drawText(context, shape) {
    const size = shape[AT.size] * this.scale;
    if (size < 4) return;
    context.font = `${size}px system-ui, "DejaVu Sans", sans-serif`;
    context.textAlign = ["center", "left", "right"][shape[AT.align]];
    context.textBaseline = "middle";
    context.fillText(this.episode.texts[shape[AT.text]], this.toX(shape[AT.points]), this.toY(shape[AT.points + 1]));
  }

  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: this.middle.x + (event.clientX - box.left - box.width / 2) / this.scale,
      y: this.middle.y - (event.clientY - box.top - box.height / 2) / this.scale,
    };
  }

  // The note of the uppermost shape there that has one.
  noteAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const context = this.canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    const { shapes, drawings, texts } = this.episode;
    const places = drawings[this.last.frame];
    for (let i = places.length - 1; i >= 0; --i) {
      const shape = shapes[places[i]];
      const note = texts[shape[AT.note]];
      if (!note || shape[AT.kind] === KIND.text || shape[AT.ink] === 0) continue;
      this.trace(context, shape);
      context.lineWidth = Math.max(6, shape[AT.size] * this.scale);
      const isLine = shape[AT.kind] === KIND.line || shape[AT.kind] === KIND.arrow;
      if (isLine ? context.isPointInStroke(x, y) : context.isPointInPath(x, y)) return note;
    }
    return "";
  }
}
