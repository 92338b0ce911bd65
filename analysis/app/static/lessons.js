"use strict";
// Six guided lessons: a hook, three steps, a question, and an answer measured on the run on screen.

caploop.Welcome = class {
  constructor(node, page) {
    const { el } = caploop;
    const card = (lesson, place) =>
      el("button", { class: "card", "data-lesson": lesson.name, onclick: () => page.learn(lesson.name) },
        el("span", { class: "count" }, String(place + 1)), el("b", {}, lesson.title), el("span", {}, lesson.hook));
    node.replaceChildren(
      el("h1", {}, "Cut an arrow and watch"),
      el("p", {}, "Cheap money builds chips. New chips make old ones worthless. Lenders get scared, and money is dear. Break the loop, and see what it did."),
      el("div", { class: "cards" }, caploop.catalog.lessons.map(card)),
      el("button", { id: "explore", class: "main", onclick: () => page.explore() }, "Explore freely"));
  }
};

// A lesson's panel. `done` counts steps taken; then comes the guess, then the answer.
caploop.Lesson = class {
  constructor(node, page) {
    this.node = node;
    this.page = page;
  }
  draw({ lesson, cursor, tracks }) {
    this.node.hidden = lesson === null;
    if (lesson === null) return;
    const { about, done, guess } = lesson;
    const ready = this.reached();
    const key = JSON.stringify([about.name, done, guess, ready, done === 3 && guess ? [cursor, tracks.end >= cursor] : 0]);
    if (key === this.key) return;
    this.node.classList.toggle("answered", done === 3 && guess !== null);
    this.held ||= this.node.contains(document.activeElement); // the keyboard waits where it was, for a button that can be pressed
    this.key = key;
    const { el } = caploop;
    const dots = about.steps.map((_, place) => el("i", { class: place < done ? "done" : place === done ? "now" : "" }));
    this.node.replaceChildren(
      el("div", { class: "hook" }, el("h2", {}, about.title), el("p", {}, about.hook),
        about.note && done === 0 ? el("p", { class: "note" }, about.note) : null),
      el("div", { class: "step" }, done < 3 ? this.step(about, done, ready) : ready ? this.question(about, guess) : this.busy()),
      el("div", { class: "dots", role: "img", "aria-label": `Step ${Math.min(done + 1, 3)} of 3` }, dots),
      el("button", { class: "leave", onclick: () => this.page.welcome() }, "Leave"));
    const button = this.node.querySelector(".step button:not([disabled])");
    if (this.held && button !== null) {
      button.focus();
      this.held = false;
    }
  }
  // Whether what the last step asked for is on screen.
  reached() {
    const { lesson, cursor, pending, tracks } = this.page;
    const goals = lesson.about.steps.slice(0, lesson.done).map((step) => step.do.play ?? 0);
    return cursor >= Math.max(0, ...goals) && !pending && tracks.end >= cursor;
  }
  step(about, done, ready) {
    const { el } = caploop;
    const step = about.steps[done];
    const words = step.do.play !== undefined ? `▶ Play to month ${step.do.play}` : caploop.named(step.do.change);
    const text = (ready ? step : about.steps[Math.max(done - 1, 0)]).says;
    return [el("p", {}, text), el("button", { id: "next", class: "main", disabled: !ready, onclick: () => this.page.next() }, ready ? words : "Watch…")];
  }
  busy() {
    return [caploop.el("p", {}, this.page.lesson.about.steps.at(-1).says), caploop.el("button", { class: "main", disabled: true }, "Watch…")];
  }
  question(about, guess) {
    const { el } = caploop;
    if (guess === null) {
      const pick = ([name, words]) => el("button", { class: "option", "data-guess": name, onclick: () => this.page.guess(name) }, words);
      return [el("p", { class: "question" }, about.question), el("div", { class: "options" }, Object.entries(about.options).map(pick))];
    }
    return this.answer(about, guess);
  }
  answer(about, guess) {
    const { el } = caploop;
    const { tracks, cursor } = this.page;
    const first = about.steps[0].do.play;
    const end = about.steps.at(-1).do.play;
    if (tracks.whatIf === null || tracks.whatIf.first !== first || cursor < end) {
      return [el("p", {}, "The answer needs both futures: the change of step 2 has been undone or moved."),
        el("button", { class: "main", id: "again", onclick: () => this.page.learn(about.name) }, "Start the lesson again")];
    }
    const found = caploop.measures.verdict(tracks, about, first, end);
    const measured = about.answer.map((line) => [line.says, ...["history", "what_if"].map((future) =>
      caploop.number(caploop.measures.measure(tracks, future, line, about.region, first, end), line.unit))]);
    const title = `${caploop.date(first)} to ${caploop.date(end - 1)}`;
    return [
      el("p", { class: "verdict" }, el("b", {}, found === guess ? "✓ As you guessed. " : `You guessed “${about.options[guess]}”; it is “${about.options[found]}”. `), about.verdict[found]),
      el("table", { class: "answer" }, el("caption", {}, title),
        el("thead", {}, el("tr", {}, el("td"), el("th", { scope: "col", class: "history" }, "History"), el("th", { scope: "col", class: "what-if" }, "What if"))),
        el("tbody", {}, measured.map(([says, history, whatIf]) => el("tr", {}, el("th", { scope: "row" }, says), el("td", { class: "history" }, history), el("td", { class: "what-if" }, whatIf))))),
    ];
  }
};
