"use strict";
// The loop: four boxes, five arrows. An arrow is as thick as its signals are far from what a cut would transmit.

caploop.Diagram = class {
  constructor(node, cut) {
    const { svg } = caploop;
    this.boxes = {};
    this.arrows = {};
    this.picture = svg("svg", { viewBox: "-64 0 860 470", role: "group", "aria-label": "The loop: credit, scaling, obsolescence, valuation, and credit again" });
    this.picture.append(heads());
    for (const arrow of caploop.catalog.arrows) this.arrows[arrow.name] = this.arrow(arrow, cut);
    for (const [name, at] of Object.entries(BOXES)) this.boxes[name] = this.box(name, at);
    node.replaceChildren(this.picture);
  }

  box(name, [left, top, title]) {
    const { svg } = caploop;
    const history = svg("text", { x: 0, y: 10, class: "value history" });
    const whatIf = svg("text", { x: 0, y: 37, class: "value what-if" });
    const label = svg("text", { x: 0, y: -19, class: "title" }, title);
    const node = svg("g", { class: "box", transform: `translate(${left} ${top})` }, svg("rect", { x: -107, y: -48, width: 214, height: 96, rx: 14 }), label, history, whatIf);
    this.picture.append(node);
    return { history, whatIf };
  }

  arrow(arrow, cut) {
    const { svg } = caploop;
    const { path, text, anchor, middle } = PATHS[arrow.name];
    const line = svg("path", { d: path, class: "line" });
    const light = svg("path", { d: path, class: "light" });
    const label = svg("text", { x: text[0], y: text[1], "text-anchor": anchor, class: "label" }, arrow.label);
    const state = svg("text", { x: text[0], y: text[1] + 25, "text-anchor": anchor, class: "state" });
    const scissors = svg("g", { class: "scissors", transform: `translate(${middle[0]} ${middle[1]})` },
      svg("circle", { r: 21 }), svg("path", { d: "M-9 -9L9 9M9 -9L-9 9" }));
    const act = () => cut(arrow.name);
    const node = svg("g", {
      class: "arrow", role: "button", tabindex: 0, "data-arrow": arrow.name, "aria-pressed": "false", onclick: act,
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        act();
      },
    }, svg("title", {}, arrow.says), svg("path", { d: path, class: "reach" }), line, light, label, state, scissors);
    this.picture.append(node);
    return { ...arrow, node, line, light, state };
  }

  draw(tracks, region, cursor, cuts, changes) {
    const month = Math.min(cursor, tracks.end) - 1;
    const shown = tracks.futures.at(-1);
    for (const arrow of Object.values(this.arrows)) this.light(arrow, tracks, shown, region, month, cuts.has(arrow.name));
    for (const [name, { history, whatIf }] of Object.entries(this.boxes)) {
      const [column, unit, word, times] = VALUES[name];
      const read = (future) => {
        const value = tracks.value(future, region, column, month);
        return value === null ? "" : `${caploop.number(value * (times ?? 1), unit)}${word}`;
      };
      caploop.say(history, read("history"));
      caploop.say(whatIf, changes.length && tracks.whatIf !== null && month >= tracks.whatIf.first ? read("what_if") : "");
    }
  }

  light(arrow, tracks, future, region, month, isCut) {
    const at = (when) => tracks.value(future, region, `push.${arrow.arrow}`, when);
    const push = at(month);
    const known = push !== null && !isCut;
    const strength = known ? Math.min(Math.abs(push) / FULL, 1) : 0;
    const moved = known ? Math.min(Math.abs(push - (at(month - 3) ?? push)) / (FULL / 4), 1) : 0;
    const way = !known || Math.abs(push) < 0.005 ? "calm" : push > 0 ? "pushes" : "holds";
    const [up, down] = arrow.from === arrow.to ? ["▲", "▼"] : ["▲ pushes", "▼ holds back"];
    const words = { calm: "as usual", pushes: `${up} ${percent(push)}`, holds: `${down} ${percent(push)}` };
    const text = isCut ? "cut" : known ? words[way] : "";
    caploop.say(arrow.state, text);
    caploop.set(arrow.node, "class", `arrow ${isCut ? "cut" : way}`);
    caploop.set(arrow.node, "aria-pressed", isCut);
    caploop.set(arrow.node, "aria-label", `${isCut ? "Heal" : "Cut"} the arrow ${arrow.label}, from ${arrow.from} to ${arrow.to}. ${text}`);
    caploop.set(arrow.line, "stroke-width", (5 + 17 * strength).toFixed(1));
    caploop.set(arrow.light, "stroke-width", (2 + 7 * strength).toFixed(1));
    caploop.set(arrow.light, "opacity", (0.15 + 0.85 * moved).toFixed(2));
  }
};

const FULL = 0.4; // mean log distance at which an arrow is as thick as it gets
const percent = (push) => caploop.number(Math.expm1(Math.abs(push)), "share");

const BOXES = {
  credit: [360, 52, "Credit"],
  scaling: [560, 235, "Scaling"],
  obsolescence: [360, 418, "Obsolescence"],
  valuation: [160, 235, "Valuation"],
};
const VALUES = {
  credit: ["spread", "1/year", " spread"],
  scaling: ["capex", "USD", " a year", 12],
  obsolescence: ["model_half_life", "year", ""],
  valuation: ["advance_rate_mezzanine", "share", " is lent"],
};
const PATHS = {
  capital_scaling: { path: "M470 68C520 82 554 116 560 168", text: [546, 70], anchor: "start", middle: [534, 106] },
  scaling_obsolescence: { path: "M560 288C556 340 530 380 484 400", text: [546, 380], anchor: "start", middle: [536, 354] },
  obsolescence_valuation: { path: "M250 402C202 388 166 354 160 302", text: [172, 380], anchor: "end", middle: [186, 364] },
  valuation_credit: { path: "M160 182C166 128 196 92 236 72", text: [172, 70], anchor: "end", middle: [184, 116] },
  cobweb: { path: "M452 212C394 168 394 304 438 258", text: [402, 228], anchor: "end", middle: [409, 235] },
};

function heads() {
  const { svg } = caploop;
  const kinds = ["pushes", "holds", "calm", "cut"];
  return svg("defs", {}, kinds.map((kind) =>
    svg("marker", { id: `head-${kind}`, class: `head ${kind}`, viewBox: "0 0 10 10", refX: 3, refY: 5, markerWidth: 30, markerHeight: 30, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" },
      svg("path", { d: "M0 0L10 5L0 10z" }))));
}
