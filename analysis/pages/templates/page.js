(() => {
  const key = cell => cell.dataset.v !== undefined && cell.dataset.v !== "" ? Number(cell.dataset.v) : null;
  const order = (a, b, way) => {
    const [x, y] = [key(a), key(b)];
    if (x !== null && y !== null) return way * (x - y);
    if (x !== null || y !== null) return x !== null ? -1 : 1; // what has no number comes last
    return way * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      body.append(...[...body.rows].sort((a, b) => order(a.cells[column], b.cells[column], way)));
    }));
  }
  const open = () => { // a link to numbers opens them
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();
})();
