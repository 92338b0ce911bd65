"use strict";
// Where months come from: a live economy over a socket, or runs that were computed for a folder. Nothing else differs.

caploop.Live = class {
  constructor(page) {
    this.page = page;
    this.adds = true; // changes add up
    this.tries = 0;
    this.open();
  }
  open() {
    clearTimeout(this.timer);
    const session = caploop.kept.read("session") ?? "";
    const socket = new WebSocket(`ws://${location.host}/economy?session=${encodeURIComponent(session)}`);
    this.socket = socket;
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(JSON.parse(data));
    socket.onclose = () => socket === this.socket && this.lost();
  }
  hear(message) {
    const { page } = this;
    if (message.do === "hello") {
      this.tries = 0;
      caploop.kept.write("session", message.session);
      page.found(message.again);
    } else if (message.do === "rows") page.rows(message.future, message.rows);
    else if (message.do === "heard") page.heard(message.id);
    else if (message.do === "made") page.made(message.id, message.first);
    else if (message.do === "begun") page.begun(message.seed);
    else if (message.do === "refused") page.refused(message.id ?? null, message.text);
    else if (message.do === "gone") {
      this.dead = true;
      caploop.kept.write("session", "");
      page.broken(message.text, "Start again", () => this.open());
    } else if (message.do === "full") {
      this.dead = true;
      page.broken(message.text, "Try again", () => this.open());
    }
  }
  lost() {
    if (this.dead) {
      this.dead = false;
      return;
    }
    const seconds = Math.min(2 ** this.tries++, 15);
    this.timer = setTimeout(() => this.open(), 1000 * seconds);
    this.page.broken("The connection to the economy is lost. What you see stays; trying again by itself.", "Try now", () => this.open());
  }
  ask(request) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }
  want(to) {
    this.ask({ do: "want", to });
  }
  change(changes, id) {
    this.ask({ do: "change", id, changes });
  }
  reset(seed, id) {
    this.ask({ do: "reset", id, seed });
  }
  offers() {
    return true;
  }
};

caploop.Computed = class {
  constructor(page) {
    this.page = page;
    this.adds = false; // each change was computed alone
    this.runs = new Set(caploop.catalog.exported.runs);
    this.load("history", () => {
      page.found(false);
      page.rows("history", caploop.runs.history);
    });
  }
  load(name, then) {
    if (caploop.runs[name] !== undefined) return void setTimeout(then);
    const fail = () => this.page.refused(null, `data/${name}.js is missing from this folder. Copy the folder whole, then reload.`);
    document.head.append(caploop.el("script", { src: `data/${name}.js`, onload: then, onerror: fail }));
  }
  want() {}
  name(change) {
    return `${change.kind}-${change.name}-${change.month}`;
  }
  change(changes, id) {
    const last = changes.at(-1);
    this.page.heard(id);
    if (last === undefined) return this.page.made(id, null);
    if (!this.offers(last)) return this.page.refused(id, caploop.Computed.WHY);
    this.load(this.name(last), () => {
      this.page.made(id, last.month);
      this.page.rows("what_if", caploop.runs[this.name(last)]);
    });
  }
  reset() {
    this.page.begun(caploop.catalog.seed);
    this.page.rows("history", caploop.runs.history);
  }
  offers(change) {
    return this.runs.has(this.name(change));
  }
};
caploop.Computed.WHY =
  "This folder holds computed runs: arrows are cut and shocks strike at the marked months only. Run the program for all others.";

// What outlives a reload, in this tab alone.
caploop.kept = {
  read(name) {
    try {
      return JSON.parse(sessionStorage.getItem(`caploop.${name}`));
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      sessionStorage.setItem(`caploop.${name}`, JSON.stringify(value));
    } catch {
      // a browser that keeps nothing starts anew after a reload
    }
  },
};
