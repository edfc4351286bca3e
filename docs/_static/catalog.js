// Sorts the catalog's table by a column and shows the rows that have all words of the filter.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("presets-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const filter = document.getElementById("catalog-filter");
  const count = document.getElementById("catalog-count");

  const shown = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let visible = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      visible += row.hidden ? 0 : 1;
    }
    count.textContent = `${visible} of ${rows.length} presets`;
  };

  const value = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.textContent.trim() || null;
  };

  const order = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };

  const sort = (header, column) => {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const sorted = rows.slice().sort((left, right) => {
      const [a, b] = [value(left, column), value(right, column)];
      if (a === null || b === null) return (a === null) - (b === null); // no number stands last
      return descending ? order(b, a) : order(a, b);
    });
    body.append(...sorted);
  };

  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    if (!header.textContent) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => sort(header, column));
    header.replaceChildren(button);
  });
  filter.addEventListener("input", shown);
  shown();
});
