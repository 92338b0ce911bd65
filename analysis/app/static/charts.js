"use strict";
// Linked charts on canvas: the history is a solid line, the what-if a dashed one; busts are shaded, events marked.

caploop.charts = (() => {
  const { el } = caploop;
  const YEAR = 12;
  const SPANS = [60, 120, 180, 240];
  const INK = { history: "#0b5fa5", what_if: "#b23c00", axis: "#44525f", grid: "#dde3e9", bust: "#f9dcd6", text: "#14202b" };
  const DASH = { history: [], what_if: [9, 5] };

  const column = (name, scale = 1) => (tracks, future, region, end) =>
    tracks.series(future, region, name, end).map((value) => (value === null ? null : value * scale));

  function overYear(name, per) {
    return (tracks, future, region, end) => {
      const values = tracks.series(future, region, name, end);
      const whole = tracks.series(future, region, per, end);
      return values.map((_, month) => {
        const from = Math.max(month - YEAR + 1, 0);
        const sum = values.slice(from, month + 1).reduce((total, value) => total + value, 0);
        return whole[month] > 0 ? sum / whole[month] : 0;
      });
    };
  }

  const sumOf = (...names) => (tracks, future, region, end) => {
    const all = names.map((name) => tracks.series(future, region, name, end));
    return all[0].map((_, month) => all.reduce((total, values) => total + values[month], 0));
  };

  const vintages = () =>
    caploop.catalog.fields.filter((name) => name.startsWith(`${caploop.catalog.regions[0].name}.resale.`)).map((name) => Number(name.split(".")[2]));

  // lines: one number a month; the first is the one that is read out
  const SPECS = [
    { name: "capex", title: "Capital spending", unit: "USD", log: true, lines: [{ of: column("capex", YEAR) }] },
    { name: "spread", title: "Lenders' spread", unit: "1/year", floor: 0, lines: [{ of: column("spread") }] },
    { name: "advance", title: "Lent of value", unit: "share", lines: [{ of: column("advance_rate_mezzanine") }] },
    { name: "half_life", title: "Life of a model's lead", unit: "year", lines: [{ of: column("model_half_life") }] },
    { name: "vintage", title: "Old chips' resale", unit: "share", floor: 0, vintages: true, note: "thin: a year's rent" },
    { name: "losses", title: "Lost in a year", unit: "share", floor: 0, least: 0.01, lines: [{ of: overYear("loss", "debt") }] },
    { name: "ratings", title: "Debt rated junk", unit: "share", floor: 0, top: 1, note: "thin: below B3",
      lines: [{ of: sumOf("rated_junk", "rated_caa") }, { of: column("rated_caa"), thin: true }] },
    { name: "fire_sale", title: "Fire-sale discount", unit: "share", floor: 0, note: "thin: distressed funds",
      lines: [{ of: column("fire_sale") }, { of: column("distressed"), thin: true }] },
  ];

  function lines(spec, tracks, future, region, end) {
    if (!spec.vintages) return spec.lines.map(({ of, thin }) => ({ values: of(tracks, future, region, end), thin }));
    return vintages()
      .filter((vintage) => vintage < end)
      .flatMap((vintage) =>
        ["resale", "rent"].map((what) => ({ values: tracks.series(future, region, `${what}.${vintage}`, end), thin: what === "rent" })),
      );
  }

  // The number that stands for a chart in its head, in the table and for those who do not see it.
  function reading(spec, tracks, future, region, end) {
    if (end < 1) return null;
    if (!spec.vintages) return spec.lines[0].of(tracks, future, region, end).at(-1);
    const latest = vintages().filter((vintage) => vintage <= end - YEAR).at(-1) ?? 0;
    return tracks.value(future, region, `resale.${latest}`, end - 1);
  }

  class Chart {
    constructor(spec, region, pick) {
      this.spec = spec;
      this.region = region;
      this.values = { history: el("b", { class: "history" }), what_if: el("b", { class: "what-if" }) };
      this.canvas = el("canvas", { role: "img" });
      const note = spec.note ? el("small", {}, spec.note) : null;
      const head = el("button", { class: "head", title: "Larger or smaller", onclick: () => pick(spec.name) },
        el("span", {}, spec.title, note), el("span", { class: "values" }, this.values.history, this.values.what_if));
      this.node = el("figure", { class: "chart", "data-chart": spec.name }, el("figcaption", {}, head), this.canvas);
    }
    draw(tracks, cursor, changes) {
      const { spec, region } = this;
      const end = Math.min(cursor, tracks.end);
      const all = tracks.futures.map((future) => ({ future, lines: lines(spec, tracks, future, region, end) }));
      const read = {};
      for (const future of ["history", "what_if"]) {
        const shown = tracks.futures.includes(future) && (future === "history" || end > tracks.whatIf.first);
        read[future] = shown ? briefly(reading(spec, tracks, future, region, end), spec) : "";
        caploop.say(this.values[future], read[future]);
      }
      const place = caploop.catalog.regions.find(({ name }) => name === region).title;
      const other = read.what_if ? `; what if: ${read.what_if}` : "";
      caploop.set(this.canvas, "aria-label", `${spec.title}, ${place}: ${read.history || "nothing yet"}${other}`);
      paint(this.canvas, spec, all, { tracks, region, cursor, end, changes });
    }
  }

  function paint(canvas, spec, all, state) {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0 || height === 0) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const size = parseFloat(getComputedStyle(canvas).fontSize);
    const span = SPANS.find((months) => months >= state.cursor) ?? caploop.catalog.months;
    const axis = scale(spec, all);
    context.font = `${0.82 * size}px system-ui, sans-serif`;
    const widest = Math.max(...axis.ticks.map((tick) => context.measureText(briefly(tick, spec)).width), 0);
    const box = { left: widest + 0.6 * size, right: width - 0.4 * size, top: 0.7 * size, bottom: height - 1.5 * size, size };
    const x = (month) => box.left + ((box.right - box.left) * month) / span;
    const y = (value) => box.bottom - (box.bottom - box.top) * axis.at(value);
    shade(context, state, box, x);
    grid(context, spec, axis, box, x, y, span);
    mark(context, state, box, x);
    for (const { future, lines: drawn } of all) {
      const from = future === "history" ? 0 : Math.max(state.tracks.whatIf.first - 1, 0);
      for (const { values, thin } of drawn) stroke(context, values, from, x, y, INK[future], DASH[future], thin ? 1.2 : 3);
    }
  }

  function scale(spec, all) {
    const values = all.flatMap(({ lines: drawn }) => drawn.flatMap((line) => line.values)).filter((value) => value !== null && (!spec.log || value > 0));
    let low = spec.floor ?? Math.min(...values);
    let high = spec.top ?? Math.max(...values, spec.least ?? -Infinity);
    if (!values.length) [low, high] = spec.log ? [1e9, 1e12] : [0, 1];
    if (spec.log) {
      low = Math.log10(low) - 0.1;
      high = Math.max(Math.log10(high) + 0.1, low + 0.7);
      const ticks = [];
      for (let power = Math.floor(low); power <= high; power++) {
        for (const step of high - low > 1.6 ? [1] : [1, 3]) {
          const tick = power + Math.log10(step);
          if (tick >= low && tick <= high) ticks.push(10 ** tick);
        }
      }
      return { at: (value) => (Math.log10(Math.max(value, 1)) - low) / (high - low), ticks };
    }
    const room = Math.max((high - low) * 0.12, Math.abs(high) * 0.06, 1e-4);
    if (spec.top === undefined) high += room;
    if (spec.floor === undefined) low = low > 0 ? Math.max(low - room, 0) : low - room;
    const step = nice((high - low) / 3);
    const ticks = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-12; tick += step) ticks.push(tick);
    return { at: (value) => (value - low) / (high - low), ticks };
  }

  function nice(step) {
    const power = 10 ** Math.floor(Math.log10(step));
    return power * ([1, 2, 5, 10].find((factor) => factor * power >= step) ?? 10);
  }

  function shade(context, state, box, x) {
    const { tracks, region, end } = state;
    for (const future of tracks.futures) {
      const found = caploop.measures.busts(tracks.series(future, region, "capex", end));
      for (const [peak, trough] of found) {
        const [from, to] = [x(peak), x(trough)];
        if (future === "history") {
          context.fillStyle = INK.bust;
          context.fillRect(from, box.top, to - from, box.bottom - box.top);
        } else if (trough >= tracks.whatIf.first) hatch(context, Math.max(from, x(tracks.whatIf.first)), to, box.bottom - 0.55 * box.size, box.bottom);
      }
    }
  }

  function hatch(context, from, to, top, bottom) {
    context.save();
    context.beginPath();
    context.rect(from, top, to - from, bottom - top);
    context.clip();
    context.strokeStyle = INK.what_if;
    context.lineWidth = 1.5;
    context.setLineDash([]);
    context.beginPath();
    for (let at = from - (bottom - top); at < to; at += 6) {
      context.moveTo(at, bottom);
      context.lineTo(at + (bottom - top), top);
    }
    context.stroke();
    context.restore();
  }

  function grid(context, spec, axis, box, x, y, span) {
    context.lineWidth = 1;
    context.strokeStyle = INK.grid;
    context.fillStyle = INK.axis;
    context.setLineDash([]);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of axis.ticks) {
      context.beginPath();
      context.moveTo(box.left, y(tick));
      context.lineTo(box.right, y(tick));
      context.stroke();
      context.fillText(briefly(tick, spec), box.left - 0.35 * box.size, y(tick));
    }
    context.textBaseline = "alphabetic";
    context.textAlign = "center";
    const every = [12, 24, 60].find((months) => ((box.right - box.left) * months) / span > 4.2 * box.size) ?? 120;
    for (let month = 0; month <= span; month += every) {
      context.textAlign = month === 0 ? "left" : x(month) > box.right - box.size ? "right" : "center";
      context.fillText(String(Math.floor(caploop.year(month))), x(month), box.bottom + 1.15 * box.size);
    }
  }

  const briefly = (value, spec) => caploop.number(value, spec.unit).replace(" years", " y");

  // Changes as dotted lines; failures as triangles and rules as squares along the top.
  function mark(context, state, box, x) {
    context.lineWidth = 1.5;
    for (const { month } of state.changes.filter((change) => change.month <= state.cursor)) {
      context.strokeStyle = INK.what_if;
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(x(month), box.top);
      context.lineTo(x(month), box.bottom);
      context.stroke();
    }
    context.setLineDash([]);
    for (const future of state.tracks.futures) {
      const from = future === "history" ? 0 : state.tracks.whatIf.first;
      context.fillStyle = INK[future];
      for (let month = from; month < state.end; month++) {
        const kinds = new Set(state.tracks.row(future, month)?.events.filter(({ region }) => region === state.region).map(({ kind }) => kind));
        const top = box.top + (future === "history" ? 0 : 0.6 * box.size);
        if (kinds.has("failure")) shape(context, [[-4, 0], [4, 0], [0, 7]], x(month), top);
        if (kinds.has("rule")) shape(context, [[-3, 0], [3, 0], [3, 6], [-3, 6]], x(month), top);
      }
    }
  }

  function shape(context, corners, left, top) {
    context.beginPath();
    for (const [across, down] of corners) context.lineTo(left + across, top + down);
    context.fill();
  }

  function stroke(context, values, from, x, y, colour, dash, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.setLineDash(dash);
    context.beginPath();
    let on = false;
    for (let month = from; month < values.length; month++) {
      const value = values[month];
      if (value === null) {
        on = false;
        continue;
      }
      if (on) context.lineTo(x(month + 1), y(value));
      else context.moveTo(x(month + 1), y(value));
      on = true;
    }
    context.stroke();
    context.setLineDash([]);
  }

  // What is read out and tabled: every chart's number for both futures.
  function table(tracks, cursor) {
    const end = Math.min(cursor, tracks.end);
    const rows = [];
    for (const { name, title } of caploop.catalog.regions) {
      for (const spec of SPECS) {
        const values = tracks.futures.map((future) => caploop.number(reading(spec, tracks, future, name, end), spec.unit));
        rows.push([title, spec.title, ...values]);
      }
    }
    return rows;
  }

  return { SPECS, Chart, table, INK };
})();
