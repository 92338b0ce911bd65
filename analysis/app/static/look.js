"use strict";
// How the page looks: which parts are shown, and drawing them. What is done is in page.js.

caploop.Look = class {
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
};
const COMPARED = ["capex", "spread", "advance", "losses", "ratings", "fire_sale"];
