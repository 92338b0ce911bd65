"use strict";
// The page: what is shown, what was done, and the clock.

caploop.Page = class {
  constructor() {
    const $ = (id) => document.getElementById(id);
    const kept = caploop.kept.read("state") ?? {};
    this.seed = kept.seed ?? caploop.catalog.seed;
    this.region = kept.region ?? caploop.catalog.regions[0].name;
    this.view = kept.view ?? "charts";
    this.changes = kept.changes ?? [];
    this.goal = kept.cursor ?? 0; // the month asked for; the cursor follows as months come in
    this.speed = kept.speed ?? 10;
    this.lesson = kept.lesson ? { ...kept.lesson, about: caploop.catalog.lessons.find(({ name }) => name === kept.lesson.name) } : null;
    this.exploring = kept.exploring ?? false;
    this.cursor = 0;
    this.playing = false;
    this.until = caploop.catalog.months; // playing stops there
    this.wanted = 0;
    this.pending = false; // a change is being made
    this.agreed = this.changes;
    this.asked = 0;
    this.large = null;
    this.tracks = new caploop.Tracks();
    this.source = caploop.catalog.exported ? new caploop.Computed(this) : new caploop.Live(this);
    this.parts = {
      diagram: new caploop.Diagram($("loop"), (name) => this.cut(name)),
      transport: new caploop.Transport($("transport"), this),
      shocks: new caploop.Shocks($("shocks"), this),
      sliders: new caploop.Sliders($("sliders").lastElementChild, this),
      done: new caploop.Done($("whatif"), this),
      deal: new caploop.DealView($("deal")),
      lesson: new caploop.Lesson($("lesson"), this),
    };
    new caploop.Welcome($("welcome"), this);
    this.dress($);
    this.layout();
    new ResizeObserver(() => this.redraw()).observe($("main"));
    document.addEventListener("keydown", (event) => this.key(event));
    requestAnimationFrame((now) => this.tick(now));
  }

  // -- what comes in ---------------------------------------------------------------------------------------------------

  found(again) {
    this.notice(null);
    this.wanted = 0;
    if (!again) {
      this.tracks = new caploop.Tracks();
      this.cursor = 0;
      if (this.seed !== caploop.catalog.seed) this.source.reset(this.seed, ++this.asked);
    }
    if (this.pending || this.changes.length) this.request();
    this.want();
    this.redraw();
  }
  rows(future, rows) {
    this.tracks.take(future, rows);
    if (!this.playing) this.cursor = Math.max(Math.min(this.goal, this.tracks.end), 0);
    this.redraw();
  }
  heard(id) {
    if (id === this.asked) this.parts.heard = performance.now();
  }
  made(id, first) {
    if (id !== this.asked) return;
    this.pending = false;
    this.agreed = this.changes;
    this.tracks.branch(first);
    this.want(true);
    this.keep();
    this.redraw();
  }
  begun(seed) {
    this.seed = seed;
    this.tracks = new caploop.Tracks();
    this.cursor = this.goal = 0;
    this.want(true);
    this.keep();
    this.redraw();
  }
  refused(id, text) {
    if (id !== null && id !== this.asked) return;
    this.playing = this.pending = false;
    const spoilt = id === null && this.tracks.end < this.wanted && this.changes.length;
    this.changes = spoilt ? this.changes : this.agreed;
    this.goal = this.cursor;
    this.parts.sliders.restore();
    this.notice(text, spoilt ? ["Undo the last change", () => this.undo(this.changes.length - 1)] : ["OK", () => {}]);
    this.redraw();
  }
  broken(text, words, act) {
    this.playing = false;
    this.notice(text, [words, act]);
    this.redraw();
  }
  notice(text, button = null) {
    const node = document.getElementById("notice");
    node.hidden = text === null;
    if (text === null) return;
    const act = () => {
      this.notice(null);
      button[1]();
    };
    node.replaceChildren(caploop.el("p", {}, text), caploop.el("button", { onclick: act }, button[0]));
  }

  // -- what is done ----------------------------------------------------------------------------------------------------

  offers(kind, name) {
    return this.source.offers({ kind, name, month: this.cursor });
  }
  cut(name) {
    const place = this.changes.findIndex((change) => change.kind === "cut" && change.name === name);
    if (place >= 0) this.undo(place);
    else this.change({ kind: "cut", name });
  }
  change(what) {
    const change = { month: this.cursor, ...what };
    if (!this.source.offers(change)) return this.refused(null, caploop.Computed.WHY);
    const same = (other) => other.kind === change.kind && other.name === change.name && (other.month === change.month || change.kind !== "slider");
    const others = this.source.adds ? this.changes.filter((other) => !same(other)) : [];
    this.changes = [...others, change].sort((one, other) => one.month - other.month);
    this.request();
  }
  undo(place) {
    this.changes = this.changes.filter((_, at) => at !== place);
    this.parts.sliders.restore();
    this.request();
  }
  undoAll() {
    this.changes = [];
    this.parts.sliders.restore();
    this.request();
  }
  request() {
    this.pending = true;
    this.notice(null);
    this.source.change(this.changes, ++this.asked);
    this.speak(this.changes.length ? `What if: ${this.changes.map(caploop.named).join(", ")}` : "The history alone.");
    this.redraw();
  }

  // -- time ------------------------------------------------------------------------------------------------------------

  get waiting() {
    return this.tracks.end < Math.min(this.goal, caploop.catalog.months) || (this.playing && this.cursor >= this.tracks.end);
  }
  want(afresh = false) {
    const ahead = Math.min(Math.max(this.goal, this.cursor) + AHEAD, caploop.catalog.months);
    if (!afresh && ahead <= this.wanted) return;
    this.wanted = Math.max(ahead, this.wanted);
    this.source.want(this.wanted);
  }
  go(month) {
    this.playing = false;
    this.goal = Math.min(Math.max(month, 0), caploop.catalog.months);
    this.cursor = Math.min(this.goal, this.tracks.end);
    this.want();
    this.keep();
    this.redraw();
  }
  step(by) {
    this.go((this.playing ? this.cursor : this.goal) + by);
    this.speakMonth();
  }
  toggle(until = caploop.catalog.months) {
    this.playing = !this.playing;
    this.until = until;
    if (this.playing && this.cursor >= until) this.playing = false;
    this.beat = performance.now();
    if (this.playing) this.goal = this.cursor;
    else this.speakMonth();
    this.keep();
    this.redraw();
  }
  pace(speed) {
    this.speed = speed;
    this.keep();
  }
  restart() {
    this.playing = false;
    this.changes = [];
    this.parts.sliders.restore();
    this.request();
    this.go(0);
  }
  luck() {
    this.playing = false;
    this.changes = this.agreed = [];
    this.pending = false;
    this.parts.sliders.restore();
    this.source.reset(this.seed + 1, ++this.asked);
    this.speak("The same economy with other luck.");
    this.redraw();
  }
  tick(now) {
    if (this.playing) {
      const due = Math.floor(((now - this.beat) * this.speed) / 1000);
      const most = Math.min(this.tracks.end, this.until);
      if (due > 0) {
        this.beat += (due * 1000) / this.speed;
        if (this.cursor < most) this.cursor = Math.min(this.cursor + Math.min(due, MOST), most);
        else this.beat = now;
        this.goal = this.cursor;
        this.want();
        if (this.cursor >= this.until) {
          this.playing = false;
          this.speakMonth();
          this.keep();
        }
        this.redraw();
      }
    }
    if (this.stale) this.draw();
    requestAnimationFrame((next) => this.tick(next));
  }

  // -- lessons ---------------------------------------------------------------------------------------------------------

  welcome() {
    this.lesson = null;
    this.exploring = this.playing = false;
    this.keep();
    this.layout();
    document.querySelector("#welcome button").focus();
  }
  explore() {
    this.exploring = true;
    this.lesson = null;
    this.keep();
    this.layout();
    document.getElementById("play").focus();
  }
  learn(name) {
    const about = caploop.catalog.lessons.find((lesson) => lesson.name === name);
    this.lesson = { name, about, done: 0, guess: null };
    this.exploring = true;
    this.region = about.region;
    this.view = about.steps[0].do.show ?? "charts";
    this.large = null;
    this.restart();
    this.layout();
    this.draw();
    document.getElementById("next").focus();
  }
  next() {
    const { about, done } = this.lesson;
    const { play, change } = about.steps[done].do;
    this.lesson.done += 1;
    if (change !== undefined) {
      this.go(about.steps[0].do.play);
      this.change(change);
    } else {
      this.speed = Math.max(this.speed, 20);
      this.playing = false;
      this.toggle(play);
    }
    this.keep();
    this.redraw();
  }
  guess(name) {
    this.lesson.guess = name;
    this.keep();
    this.redraw();
  }

  // -- the look --------------------------------------------------------------------------------------------------------

  dress($) {
    const { el } = caploop;
    const choice = (of, name, words, pick) => el("button", { [`data-${of}`]: name, onclick: () => pick(name) }, words);
    const show = (view) => {
      this.view = view;
      this.keep();
      this.layout();
    };
    const look = (region) => {
      this.region = region;
      this.keep();
      this.layout();
    };
    const { regions } = caploop.catalog;
    const views = [["charts", "Loop"], ["deal", "One deal"], ...(regions.length > 1 ? [["regions", "Two countries"]] : [])];
    $("views").replaceChildren(...views.map(([name, words]) => choice("view", name, words, show)));
    $("regions").replaceChildren(...(regions.length > 1 ? regions.map(({ name, title }) => choice("region", name, title, look)) : []));
    $("home").onclick = () => this.welcome();
    $("larger").onclick = () => this.enlarge(!document.documentElement.classList.contains("large"));
    $("numbers").onclick = () => this.tabled(document.getElementById("table").hidden);
    $("help").onclick = () => this.keys();
    $("legend").replaceChildren(
      el("span", { class: "history" }, "━ history"), el("span", { class: "what-if" }, "╍ what if"),
      el("span", { class: "bust" }, "bust"), el("span", {}, "▼ failure ■ rule"),
      el("p", {}, "An arrow is as thick as what it carries is far from usual."));
    this.enlarge(caploop.kept.read("large") ?? false);
  }
  enlarge(large) {
    document.documentElement.classList.toggle("large", large);
    caploop.set(document.getElementById("larger"), "aria-pressed", large);
    caploop.kept.write("large", large);
    this.redraw();
  }
  layout() {
    const $ = (id) => document.getElementById(id);
    const welcome = !this.exploring && this.lesson === null;
    document.body.dataset.view = welcome ? "welcome" : this.view;
    document.body.classList.toggle("in-lesson", this.lesson !== null);
    $("welcome").hidden = !welcome;
    $("main").hidden = $("transport").hidden = welcome;
    $("left").hidden = this.view !== "charts";
    $("views").hidden = welcome;
    $("regions").hidden = welcome || this.view === "regions";
    $("numbers").hidden = welcome;
    document.body.classList.toggle("few", this.lesson !== null && this.lesson.about.charts.length <= 4);
    $("charts").hidden = this.view === "deal";
    $("deal").hidden = this.view !== "deal";
    for (const of of ["view", "region"]) for (const node of document.querySelectorAll(`[data-${of}]`)) if (node.tagName === "BUTTON") caploop.set(node, "aria-pressed", node.dataset[of] === this[of]);
    const regions = this.view === "regions" ? caploop.catalog.regions : caploop.catalog.regions.filter(({ name }) => name === this.region);
    const names = this.lesson?.about.charts ?? (this.view === "regions" ? COMPARED : caploop.charts.SPECS.map(({ name }) => name));
    const specs = names.map((name) => caploop.charts.SPECS.find((spec) => spec.name === name));
    const pick = (name) => {
      this.large = this.large === name ? null : name;
      this.layout();
    };
    this.charts = specs.flatMap((spec) => regions.map(({ name }) => new caploop.charts.Chart(spec, name, pick)));
    for (const chart of this.charts) chart.node.classList.toggle("large-chart", chart.spec.name === this.large);
    const heads = this.view === "regions" ? regions.map(({ title }) => caploop.el("h2", {}, title)) : [];
    $("charts").replaceChildren(...heads, ...this.charts.map(({ node }) => node));
    this.redraw();
  }
  redraw() {
    this.stale = true;
  }
  draw() {
    this.stale = false;
    const { tracks, cursor, region, changes, parts } = this;
    const live = changes.filter(({ month }) => month <= cursor);
    const cuts = new Set(live.filter(({ kind }) => kind === "cut").map(({ name }) => name));
    if (this.view === "charts") parts.diagram.draw(tracks, region, cursor, cuts, changes);
    if (this.view === "deal") parts.deal.draw(tracks, region, cursor);
    else for (const chart of this.charts) chart.draw(tracks, cursor, changes);
    for (const name of ["transport", "shocks", "sliders", "done", "lesson"]) parts[name].draw(this);
    for (const arrow of Object.values(parts.diagram.arrows)) caploop.set(arrow.node, "aria-disabled", !cuts.has(arrow.name) && !this.offers("cut", arrow.name));
    document.body.classList.toggle("playing", this.playing);
    if (!document.getElementById("table").hidden && !this.playing) this.tabled(true);
  }
  tabled(open) {
    const { el } = caploop;
    const node = document.getElementById("table");
    node.hidden = !open;
    caploop.set(document.getElementById("numbers"), "aria-expanded", open);
    if (!open) return;
    const heads = ["Country", "Figure", "History", ...(this.tracks.whatIf === null ? [] : ["What if"])];
    node.replaceChildren(el("button", { class: "close", onclick: () => this.tabled(false) }, "Close"),
      el("table", {}, el("caption", {}, `Month ${this.cursor}, ${caploop.date(this.cursor)}`),
        el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, caploop.charts.table(this.tracks, this.cursor).map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell)))))));
  }
  speak(text) {
    caploop.say(document.getElementById("spoken"), text);
  }
  speakMonth() {
    const read = caploop.charts.table(this.tracks, this.cursor).filter(([, title]) => title.startsWith("Capital") || title.startsWith("Spread"));
    this.speak(`${caploop.date(this.cursor)}. ${read.map((row) => row.join(" ")).join(". ")}`);
  }
  keys() {
    const { el } = caploop;
    const dialog = document.getElementById("keys");
    const rows = [["Space", "play, pause"], ["→ ←", "a month on, back"], ["Home", "start over"], ...caploop.catalog.arrows.map(({ label }, at) => [String(at + 1), `cut or heal: ${label}`]), ["U", "undo the last change"], ["L", "larger type"], ["?", "these keys"]];
    dialog.replaceChildren(el("h2", {}, "Keys"), el("table", {}, rows.map(([key, words]) => el("tr", {}, el("td", {}, el("kbd", {}, key)), el("td", {}, words)))),
      el("button", { class: "main", onclick: () => dialog.close() }, "Close"));
    dialog.showModal();
  }
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("main").hidden || document.getElementById("keys").open) return;
    const at = event.target;
    if (at.matches("input, select, textarea") || (event.key === " " && at.matches("button, summary"))) return;
    const arrow = caploop.catalog.arrows[Number(event.key) - 1];
    const acts = { " ": () => this.toggle(), ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), Home: () => this.restart(),
      u: () => this.changes.length && this.undo(this.changes.length - 1), l: () => this.enlarge(!document.documentElement.classList.contains("large")), "?": () => this.keys() };
    const act = arrow ? () => this.cut(arrow.name) : acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }
  keep() {
    const { seed, region, view, changes, goal, speed, exploring } = this;
    const lesson = this.lesson && { name: this.lesson.name, done: this.lesson.done, guess: this.lesson.guess };
    caploop.kept.write("state", { seed, region, view, changes, cursor: goal, speed, exploring, lesson });
  }
};
const AHEAD = 24; // months lived before they are shown
const MOST = 3; // months passed over at most when drawing is late
const COMPARED = ["capex", "spread", "advance", "losses", "ratings", "fire_sale"];

addEventListener("DOMContentLoaded", () => {
  caploop.page = new caploop.Page();
});
