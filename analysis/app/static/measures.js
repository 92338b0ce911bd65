"use strict";
// What a lesson measures: the same as analysis/app/measures.py, which notebooks use and tests compare.

caploop.measures = (() => {
  const SMOOTH = 6;
  const ALIKE = 0.1;

  function fall(values, first, end) {
    let peak = -Infinity;
    let deepest = 0;
    for (let month = first; month < end; month++) {
      const window = values.slice(Math.max(month - SMOOTH + 1, 0), month + 1);
      const level = window.reduce((sum, value) => sum + value, 0) / window.length;
      peak = Math.max(peak, level);
      if (peak > 0) deepest = Math.max(deepest, 1 - level / peak);
    }
    return deepest;
  }

  const MEASURES = {
    fall,
    sum: (values, first, end) => values.slice(first, end).reduce((sum, value) => sum + value, 0),
    highest: (values, first, end) => Math.max(...values.slice(first, end)),
    lowest: (values, first, end) => Math.min(...values.slice(first, end)),
    gained: (values, first, end) => values[end - 1] - values[first - 1],
  };

  function measure(tracks, future, asked, region, first, end) {
    const place = asked.region ?? region;
    let values = tracks.series(future, place, asked.column, end);
    if (asked.per !== undefined) {
      const over = tracks.series(future, place, asked.per, end);
      values = values.map((value, month) => (over[month] ? value / over[month] : 0));
    }
    return MEASURES[asked.measure](values, first, end) * (asked.times ?? 1);
  }

  function side(tracks, asked, region, first, end) {
    const of = (future) => measure(tracks, future, asked, region, first, end);
    return asked.future === "spared" ? of("history") - of("what_if") : of(asked.future);
  }

  function verdict(tracks, lesson, first, end) {
    const [left, right] = ["left", "right"].map((name) => side(tracks, lesson.verdict[name], lesson.region, first, end));
    if (Math.abs(left - right) <= ALIKE * Math.max(Math.abs(left), Math.abs(right))) return "same";
    return left < right ? "less" : "more";
  }

  // Peaks and troughs of falls of the six-month mean by more than `catalog.fall` in logs, as sim/summary.py finds them.
  function busts(values) {
    const found = [];
    let peak = null;
    let trough = null;
    const level = [];
    for (let month = 0; month < values.length; month++) {
      if (month < SMOOTH - 1) continue;
      const window = values.slice(month - SMOOTH + 1, month + 1);
      level[month] = Math.log(Math.max(window.reduce((sum, value) => sum + value, 0) / SMOOTH, 1));
      const now = level[month];
      if (trough === null) {
        if (peak === null || now > level[peak]) peak = month;
        else if (now < level[peak] - caploop.catalog.fall) trough = month;
      } else if (now < level[trough]) trough = month;
      else if (now > level[trough] + caploop.catalog.fall) {
        found.push([peak, trough]);
        peak = month;
        trough = null;
      }
    }
    if (trough !== null) found.push([peak, trough]);
    return found;
  }

  return { measure, verdict, busts };
})();
