"use strict";
// What the class may touch: time, shocks, sliders, and the list of what was done.

caploop.Transport = class {
  constructor(node, page) {
    const { el } = caploop;
    const months = caploop.catalog.months;
    this.play = el("button", { id: "play", class: "main", onclick: () => page.toggle() });
    this.scrub = el("input", { id: "scrub", type: "range", min: 0, max: months, step: 1, value: 0, "aria-label": "Month", oninput: () => page.go(Number(this.scrub.value)) });
    this.lived = el("div", { class: "lived" });
    this.label = el("output", { id: "when", for: "scrub" });
    this.speed = el("select", { id: "speed", "aria-label": "Speed", onchange: () => page.pace(Number(this.speed.value)) },
      SPEEDS.map((speed) => el("option", { value: speed }, `${speed} months a second`)));
    const ticks = (caploop.catalog.exported?.months ?? []).map((month) => el("button", { class: "stop", title: `Go to month ${month}`, "aria-label": `Go to month ${month}`, onclick: () => page.go(month) }, String(month)));
    node.replaceChildren(
      el("button", { id: "reset", title: "Start over (Home)", onclick: () => page.restart() }, "|◀", el("span", {}, " Start over")),
      el("button", { id: "back", title: "One month back (←)", "aria-label": "One month back", onclick: () => page.step(-1) }, "◀"),
      this.play,
      el("button", { id: "step", title: "One month on (→)", onclick: () => page.step(1) }, "Step ▶"),
      this.speed,
      el("div", { class: "scrub" }, this.lived, this.scrub),
      ...ticks,
      this.label,
    );
    if (page.source.adds) node.append(el("button", { id: "luck", title: "The same economy with other luck", onclick: () => page.luck() }, "Other luck"));
  }
  draw(page) {
    const { cursor, tracks, playing, goal } = page;
    caploop.say(this.play, playing ? "❚❚ Pause" : "▶ Play");
    if (document.activeElement !== this.scrub || Number(this.scrub.value) !== goal) this.scrub.value = cursor;
    caploop.set(this.scrub, "aria-valuetext", `Month ${cursor}, ${caploop.date(cursor)}`);
    this.lived.style.width = `${(100 * Math.min(tracks.end, caploop.catalog.months)) / caploop.catalog.months}%`;
    this.speed.value = page.speed;
    const wait = page.waiting ? (tracks.end === 0 ? " · warming up; a minute the first time" : " · computing…") : "";
    caploop.say(this.label, `Month ${cursor} · ${caploop.date(cursor)}${wait}`);
  }
};
const SPEEDS = [2, 5, 10, 20, 40];

caploop.Shocks = class {
  constructor(node, page) {
    const { el } = caploop;
    this.buttons = caploop.catalog.shocks.map((shock) => ({
      shock,
      node: el("button", { "data-shock": shock.name, title: shock.says, onclick: () => page.change({ kind: "shock", name: shock.name }) }, `⚡ ${shock.label}`),
    }));
    node.replaceChildren(...this.buttons.map(({ node: button }) => button));
  }
  draw(page) {
    for (const { shock, node } of this.buttons) caploop.set(node, "aria-disabled", !page.offers("shock", shock.name));
  }
};

// Units and ranges are those of the fields that the sliders set.
caploop.Sliders = class {
  constructor(node, page) {
    const { el } = caploop;
    this.page = page;
    this.rows = caploop.catalog.sliders.map((slider) => this.row(slider));
    node.replaceChildren(...(page.source.adds ? this.rows.map(({ node: row }) => row) : [el("p", {}, caploop.Computed.WHY)]));
  }
  row(slider) {
    const { el } = caploop;
    const id = `slider-${slider.key}`;
    const range = el("input", { type: "range", id, min: 0, max: 1000, step: 1, "aria-describedby": `${id}-says` });
    const box = el("input", { type: "number", step: "any", "aria-label": `${slider.label}, ${slider.unit}` });
    const unit = slider.unit === "1" ? "" : slider.unit;
    const limits = el("small", {}, `${slider.low} to ${slider.high} ${unit}; now ${slider.value}`);
    const row = { slider, range, box };
    range.oninput = () => {
      box.value = short(bend(slider, Number(range.value) / 1000));
      caploop.set(range, "aria-valuetext", `${box.value} ${unit}`);
    };
    range.onchange = () => this.page.change({ kind: "slider", name: slider.key, value: Number(box.value) });
    box.onchange = () => this.typed(row);
    this.place(row, slider.value);
    row.node = el("div", { class: "slider", "data-slider": slider.key, "data-region": slider.region },
      el("label", { for: id }, slider.label), box, el("span", { class: "unit" }, unit), range,
      el("p", { id: `${id}-says` }, slider.says, " ", limits));
    return row;
  }
  typed({ slider, box, range }) {
    const value = box.value === "" ? NaN : Number(box.value);
    const fault = !Number.isFinite(value) ? "that is no number" : value < slider.low || value > slider.high ? `${value} is out of range` : null;
    if (fault !== null) return this.page.refused(null, `${slider.label}: ${fault}. Give ${slider.allowed}. Nothing was changed.`);
    range.value = 1000 * unbend(slider, value);
    this.page.change({ kind: "slider", name: slider.key, value });
  }
  place({ slider, range, box }, value) {
    range.value = 1000 * unbend(slider, value);
    box.value = value;
    caploop.set(range, "aria-valuetext", `${value} ${slider.unit === "1" ? "" : slider.unit}`);
  }
  draw(page) {
    for (const row of this.rows) {
      row.node.hidden = row.slider.region !== "" && row.slider.region !== page.region;
      const own = page.changes.filter(({ kind, name, month }) => kind === "slider" && name === row.slider.key && month <= page.cursor).at(-1);
      const value = own?.value ?? row.slider.value;
      if (row.shown !== value && document.activeElement !== row.range && document.activeElement !== row.box) {
        this.place(row, value);
        row.shown = value;
      }
    }
  }
  // After a refusal, controls show what holds.
  restore() {
    for (const row of this.rows) {
      const own = this.page.changes.findLast(({ kind, name }) => kind === "slider" && name === row.slider.key);
      this.place(row, own?.value ?? row.slider.value);
      row.shown = undefined;
    }
  }
};

const short = (value) => Number(value.toPrecision(3));

// The present value stands in the middle of its slider, whatever its range.
function power({ low, high, value }) {
  const share = (value - low) / (high - low);
  return share > 0 && share < 1 ? Math.min(Math.max(Math.log(share) / Math.log(0.5), 0.2), 8) : 1;
}
const bend = (slider, place) => slider.low + (slider.high - slider.low) * place ** power(slider);
const unbend = (slider, value) => Math.min(Math.max((value - slider.low) / (slider.high - slider.low), 0), 1) ** (1 / power(slider));

caploop.Done = class {
  constructor(node, page) {
    this.node = node;
    this.page = page;
  }
  draw({ changes, pending }) {
    const key = JSON.stringify([changes, pending]);
    if (key === this.key) return;
    this.key = key;
    const { el } = caploop;
    const items = changes.map((change, place) =>
      el("li", {}, el("span", {}, `${caploop.named(change)} · month ${change.month}`),
        el("button", { class: "undo", "aria-label": `Undo: ${caploop.named(change)}`, title: "Undo", onclick: () => this.page.undo(place) }, "✕")));
    const words = pending ? "What if (branching…)" : "What if";
    this.node.replaceChildren(...(changes.length
      ? [el("h3", {}, words), el("ul", {}, items), changes.length > 1 ? el("button", { id: "undo-all", onclick: () => this.page.undoAll() }, "Undo all") : ""]
      : [el("p", {}, "Click an arrow to cut it, at any month.")]));
  }
};

caploop.named = ({ kind, name, value }) => {
  const { arrows, shocks, sliders } = caploop.catalog;
  if (kind === "cut") return `✂ ${arrows.find((arrow) => arrow.name === name).label}`;
  if (kind === "shock") return `⚡ ${shocks.find((shock) => shock.name === name).label}`;
  const slider = sliders.find(({ key }) => key === name);
  return `${slider.label} ${value} ${slider.unit === "1" ? "" : slider.unit}`.trim();
};
