"use strict";
// One deal's pay date: the rent pours from the top and every claim takes its part in turn.

caploop.DealView = class {
  constructor(node) {
    const { el } = caploop;
    this.node = node;
    this.picked = null;
    this.list = el("div", { class: "deals", role: "group", "aria-label": "Deals that are followed" });
    this.pours = el("div", { class: "pours" });
    node.replaceChildren(el("h2", {}, "One deal, one month: who is paid first"), this.list, this.pours);
  }

  draw(tracks, region, cursor) {
    const month = Math.min(cursor, tracks.end) - 1;
    const known = this.known(tracks, region, month);
    const pick = known.find(({ key }) => key === this.picked) ?? known.findLast(({ about }) => about.why === "new") ?? known.at(-1);
    this.buttons(known, pick, () => this.draw(tracks, region, cursor));
    if (pick === undefined) {
      this.pours.replaceChildren(caploop.el("p", { class: "empty" }, "No deal has closed yet. Let a few months pass."));
      return;
    }
    const shown = tracks.futures.filter((future) => pick.ids[future] !== undefined && (future === "history" || month >= tracks.whatIf.first));
    this.pours.replaceChildren(...shown.map((future) => this.pour(tracks, future, pick, month)));
  }

  // Deals of a region seen so far. Those closed after the futures part are others in each, the large new ones of a month apart.
  known(tracks, region, month) {
    const found = new Map();
    const parting = tracks.whatIf?.first ?? Infinity;
    for (const future of tracks.futures) {
      for (let at = 0; at <= month; at++) {
        for (const [id, [about, , , stage]] of Object.entries(tracks.row(future, at)?.deals ?? {})) {
          if (about.region !== region) continue;
          const key = about.why === "new" ? `new ${about.issued}` : about.issued < parting ? id : `${future} ${id}`;
          const deal = found.get(key) ?? { key, about, ids: {} };
          deal.ids[future] = id;
          found.set(key, Object.assign(deal, { stage, last: at }));
        }
      }
    }
    const near = [...found.values()].filter(({ last }) => last >= month - 36).sort((one, other) => one.about.issued - other.about.issued);
    const some = (why) => near.filter(({ about }) => about.why === why).slice(-3);
    return [...some("new"), ...some("in trouble")];
  }

  buttons(known, pick, redraw) {
    const now = JSON.stringify([known.map(({ key, stage, ids }) => [key, stage, ids]), pick?.key]);
    if (now === this.now) return;
    this.now = now;
    const choose = (key) => {
      this.picked = key;
      redraw();
    };
    this.list.replaceChildren(...known.map(({ key, about }) =>
      caploop.el("button", { "aria-pressed": String(key === pick.key), onclick: () => choose(key) },
        `${KINDS[about.channel] ?? about.channel.replaceAll("_", " ")}, ${caploop.date(about.issued)}`, about.why === "new" ? null : caploop.el("b", {}, " in trouble"))));
  }

  pour(tracks, future, pick, month) {
    const { el } = caploop;
    let at = month;
    while (at >= 0 && tracks.row(future, at)?.deals[pick.ids[future]] === undefined) at--;
    const title = el("h3", { class: future.replace("_", "-") }, future === "history" ? "History" : "What if");
    const [about, amounts, letters, stage] = tracks.row(future, at).deals[pick.ids[future]];
    const paid = Object.fromEntries(caploop.catalog.paid.map((name, place) => [name, amounts[place]]));
    return el("div", { class: "pour" }, title, el("p", { class: "stage" }, `${caploop.date(at)}: ${WORDS[stage]}`),
      this.picture(about, paid, letters, stage));
  }

  picture(about, paid, letters, stage) {
    const { svg } = caploop;
    const [soldA, soldB] = about.sold;
    const single = !(soldB > 0);
    const cash = paid.cash + paid.support + paid.raised + paid.sale - Math.min(paid.kept, 0);
    const steps = [
      ["Fees", paid.fees, "fees"],
      [single ? "Interest, lenders" : "Interest, class A", paid.interest_a, "a"],
      ...(single ? [] : [["Interest, class B", paid.interest_b, "b"]]),
      [single ? "Repaid, lenders" : "Repaid, class A", paid.principal_a, "a"],
      ...(single ? [] : [["Repaid, class B", paid.principal_b, "b"]]),
      ["Kept in reserve", Math.max(paid.kept, 0), "kept"],
      ["To the sponsor", paid.residual, "sponsor"],
    ];
    const high = 38;
    const full = 190;
    const picture = svg("svg", { viewBox: `0 0 600 ${66 + high * steps.length + (single ? 48 : 90)}`, preserveAspectRatio: "xMinYMin", role: "img", "aria-label": spoken(cash, steps, paid, single) });
    const sources = [paid.support > 0 && "sponsor's help", paid.raised > 0 && "refinancing", paid.sale > 0 && "sale of units", paid.kept < -0.005 * cash && "reserve"].filter(Boolean);
    picture.append(svg("text", { x: 20, y: 22, class: "title" }, stage === "building" ? "Not yet delivered: no rent" : `In: ${caploop.number(cash, "USD")}`),
      svg("text", { x: 584, y: 22, "text-anchor": "end", class: "note" }, sources.length ? `with ${sources.join(", ")}` : "rent less running costs"));
    let left = cash;
    let top = 34;
    const width = (amount) => (cash > 0 ? (full * amount) / cash : 0);
    for (const [label, amount, kind] of steps) {
      const next = Math.max(left - amount, 0);
      picture.append(svg("path", { class: "stream", d: `M20 ${top}H${20 + width(left)}V${top + 14}L${20 + width(next)} ${top + high}H20z` }));
      if (amount > 0) picture.append(svg("path", { class: `share ${kind}`, d: `M${20 + width(next)} ${top + high - 4}L${20 + width(left)} ${top + 8}H250V${top + 8 + Math.max(width(amount) * 0.35, 3)}H${20 + width(left)}z` }));
      picture.append(svg("text", { x: 264, y: top + 25, class: amount > 0 ? "claim" : "claim dry" }, label),
        svg("text", { x: 584, y: top + 25, "text-anchor": "end", class: amount > 0 ? "amount" : "amount dry" }, amount > 0 ? caploop.number(amount, "USD") : "nothing"));
      left = next;
      top += high;
    }
    tank(picture, top + 14, single ? "Lenders" : "Class A", paid.balance_a, soldA, letters[0], paid.lost_a, "a");
    if (!single) tank(picture, top + 56, "Class B", paid.balance_b, soldB, letters[1], paid.lost_b, "b");
    return picture;
  }
};

const START = 214;

function tank(picture, top, label, owed, sold, letter, lost, kind) {
  const { svg } = caploop;
  const whole = 120;
  const part = (amount) => (sold > 0 ? Math.min(whole * Math.max(amount, 0) / sold, whole) : 0);
  picture.append(svg("text", { x: 20, y: top + 24, class: "claim" }, `${label} ${label === "Lenders" ? "are" : "is"} owed`),
    svg("rect", { x: START, y: top, width: whole, height: 32, class: "tank" }),
    svg("rect", { x: START, y: top, width: part(owed), height: 32, class: `fill ${kind}` }));
  if (lost > 0) picture.append(svg("rect", { x: START + part(owed), y: top, width: part(lost), height: 32, class: "lost" }));
  const words = `${caploop.number(owed, "USD")}${letter ? `, ${letter}` : ""}${lost > 0 ? `; lost ${caploop.number(lost, "USD")}` : ""}`;
  picture.append(svg("text", { x: 584, y: top + 24, "text-anchor": "end", class: "amount" }, words));
}

function spoken(cash, steps, paid, single) {
  const taken = steps.map(([label, amount]) => `${label} ${amount > 0 ? caploop.number(amount, "USD") : "nothing"}`).join(", ");
  const owed = single ? caploop.number(paid.balance_a, "USD") : `class A ${caploop.number(paid.balance_a, "USD")}, class B ${caploop.number(paid.balance_b, "USD")}`;
  return `In ${caploop.number(cash, "USD")}. ${taken}. Still owed: ${owed}.`;
}

const WORDS = { building: "under construction", running: "running", "in default": "in default", over: "its last pay date" };
const KINDS = { abs: "Chip securities", private: "Private loan", bank: "Bank loan", spv: "Campus company", data_centre_abs: "Data-centre securities",
  cmbs: "Mortgage securities", quasi_reit: "Quasi-REIT", creit: "Listed trust", policy_bank: "Policy bank loan", lease: "Lease" };
