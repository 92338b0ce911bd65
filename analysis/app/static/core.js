"use strict";
// What all parts of the page share: elements, words for numbers, and the runs as they come in.

const caploop = { runs: {} };

caploop.el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
caploop.svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Text that has not changed is left alone: screen readers and layout are spared.
caploop.say = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};
caploop.set = (node, name, value) => {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
};

// -- numbers as words --------------------------------------------------------------------------------------------------

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

caploop.date = (month) => {
  const [year, first] = caploop.catalog.start.split("-").map(Number);
  const at = first - 1 + month;
  return `${MONTHS[((at % 12) + 12) % 12]} ${year + Math.floor(at / 12)}`;
};
caploop.year = (month) => Number(caploop.catalog.start.slice(0, 4)) + (Number(caploop.catalog.start.slice(5, 7)) - 1 + month) / 12;

const digits = (value, most) => value.toLocaleString("en", { maximumFractionDigits: most });

caploop.number = (value, unit) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (unit === "USD") return dollars(value);
  if (unit === "share" || unit === "1/year") {
    const percent = 100 * value;
    const small = percent !== 0 && Math.abs(percent) < 0.1;
    return small ? `${percent < 0 ? "> −" : "< "}0.1 %` : `${digits(percent, Math.abs(percent) < 9.95 ? 1 : 0)} %`.replace("-", "−");
  }
  if (unit === "year") return `${digits(value, 2)} years`;
  if (unit === "month") return `${digits(value, 0)} months`;
  return digits(value, Math.abs(value) < 10 ? 2 : 0);
};

function dollars(value) {
  const size = Math.abs(value);
  const [scale, word] = size >= 0.9995e12 ? [1e12, " trn"] : size >= 0.9995e9 ? [1e9, " bn"] : [1e6, " m"];
  const amount = size / scale;
  if (amount > 0 && amount < 0.1) return "< $0.1 m";
  return `${value < 0 ? "−" : ""}$${digits(amount, amount < 9.95 ? 1 : 0)}${word}`;
}

// -- runs --------------------------------------------------------------------------------------------------------------

// The months of the history, and of the what-if from its first change on.
caploop.Tracks = class {
  constructor() {
    this.history = [];
    this.whatIf = null; // {first, rows}
    this.at = Object.fromEntries(caploop.catalog.fields.map((name, place) => [name, place]));
  }
  take(future, rows) {
    for (const row of rows) {
      if (future === "history") this.history[row.month] = row;
      else {
        this.whatIf ??= { first: row.month, rows: [] };
        this.whatIf.rows[row.month - this.whatIf.first] = row;
      }
    }
  }
  branch(first) {
    this.whatIf = first === null ? null : { first, rows: [] };
  }
  // Months known of all futures on screen.
  get end() {
    const history = this.history.length;
    return this.whatIf === null ? history : Math.min(history, this.whatIf.first + this.whatIf.rows.length);
  }
  row(future, month) {
    const { whatIf } = this;
    if (future === "what_if" && whatIf !== null && month >= whatIf.first) return whatIf.rows[month - whatIf.first];
    return this.history[month];
  }
  value(future, region, column, month) {
    const row = this.row(future, month);
    return row === undefined ? null : (row.values[this.at[`${region}.${column}`]] ?? null);
  }
  // By month from 0 to `end`; the what-if shares the history's months before its first change.
  series(future, region, column, end) {
    const place = this.at[`${region}.${column}`];
    return Array.from({ length: Math.max(end, 0) }, (_, month) => this.row(future, month)?.values[place] ?? null);
  }
  get futures() {
    return this.whatIf === null ? ["history"] : ["history", "what_if"];
  }
};
