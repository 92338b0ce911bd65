"use strict";
// The page: what is shown, what was done, and the clock.

caploop.Page = class extends caploop.Look {
  constructor() {
    super();
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

  // -- keys, and what a reload finds again ------------------------------------------------------------------------------

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

addEventListener("DOMContentLoaded", () => {
  caploop.page = new caploop.Page();
});
