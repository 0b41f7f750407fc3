// The page is complete without this: it sorts, filters, enlarges and opens.
"use strict";

// Sorting tables by a click on their heads.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const value = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent;
  const compare = (a, b) => {
    const x = parseFloat(a), y = parseFloat(b);
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return Number.isNaN(x) ? a.localeCompare(b) : x - y;
  };
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => compare(value(a, i), value(b, i)));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}

// Filtering by architecture (parts of figures, rows) and by workload (figures, rows, tables).
const filters = document.querySelector(".filters");
if (filters) {
  filters.hidden = false;
  const select = filters.querySelector("select");
  const toggles = [...filters.querySelectorAll("[data-toggle]")];
  const apply = () => {
    const off = new Set();
    for (const toggle of toggles) {
      const on = toggle.getAttribute("aria-pressed") === "true";
      if (!on) off.add(toggle.dataset.toggle);
      for (const part of document.querySelectorAll(`.of-${toggle.dataset.toggle}`)) {
        part.style.display = on ? "" : "none";
      }
    }
    const wanted = select ? select.value : "";
    const other = (element) => wanted !== "" && element.dataset.workload !== "" &&
      element.dataset.workload !== wanted;
    for (const element of document.querySelectorAll("figure[data-workload], div[data-workload]")) {
      element.hidden = other(element);
    }
    for (const row of document.querySelectorAll("tbody tr")) {
      const label = row.querySelector("[data-of]"), workload = row.querySelector("[data-workload]");
      row.hidden = (label && off.has(label.dataset.of)) || Boolean(workload && other(workload));
    }
  };
  for (const toggle of toggles) {
    toggle.addEventListener("click", () => {
      toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  if (select) select.addEventListener("change", apply);
}

// One dialog for a figure enlarged and for a cell's line.
const dialog = document.createElement("dialog");
const close = document.createElement("button");
close.textContent = "close";
close.className = "close";
close.addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
document.body.append(dialog);
const show = (title, ...content) => {
  const head = document.createElement("h3");
  head.textContent = title;
  dialog.replaceChildren(close, head, ...content);
  dialog.showModal();
};

// A figure fills the screen; the wheel and the buttons change the part that is seen, dragging moves it.
const enlarge = (figure) => {
  const drawn = [...figure.querySelectorAll("svg")].find((svg) => svg.getBoundingClientRect().width);
  const svg = drawn.cloneNode(true);
  const whole = svg.viewBox.baseVal;
  const home = [whole.x, whole.y, whole.width, whole.height];
  let box = [...home];
  const set = (next) => { box = next; svg.setAttribute("viewBox", box.join(" ")); };
  const zoom = (by, x = 0.5, y = 0.5) => {
    const width = Math.min(home[2], box[2] / by), height = Math.min(home[3], box[3] / by);
    set([box[0] + (box[2] - width) * x, box[1] + (box[3] - height) * y, width, height]);
  };
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = svg.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, (event.clientX - at.left) / at.width,
      (event.clientY - at.top) / at.height);
  }, { passive: false });
  svg.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const scale = box[2] / svg.getBoundingClientRect().width;
    set([box[0] - event.movementX * scale, box[1] - event.movementY * scale, box[2], box[3]]);
  });
  const bar = document.createElement("div");
  bar.className = "filters";
  for (const [name, act] of [["larger", () => zoom(1.5)], ["smaller", () => zoom(1 / 1.5)],
    ["whole", () => set([...home])]]) {
    const button = document.createElement("button");
    button.textContent = name;
    button.addEventListener("click", act);
    bar.append(button);
  }
  const caption = document.createElement("p");
  caption.className = "meta";
  caption.textContent = figure.querySelector("figcaption").textContent;
  show(figure.closest("section").querySelector("h2").textContent, bar, svg, caption);
};
for (const figure of document.querySelectorAll("figure")) {
  const button = document.createElement("button");
  button.className = "enlarge";
  button.textContent = "enlarge";
  button.addEventListener("click", () => enlarge(figure));
  figure.prepend(button);
}

// A cell's line of cells.jsonl, unpacked at the first click.
let lines = null;
const unpacked = async () => {
  const packed = Uint8Array.from(atob(document.getElementById("raw-cells").textContent),
    (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).text()).split("\n");
};
for (const place of document.querySelectorAll("td[data-line]")) {
  const number = Number(place.dataset.line);
  const button = document.createElement("button");
  button.className = "raw";
  button.textContent = place.textContent;
  button.title = "show this line of cells.jsonl";
  place.replaceChildren(button);
  button.addEventListener("click", async () => {
    lines ??= await unpacked();
    const cell = JSON.parse(lines[number - 1]);
    const raw = document.createElement("pre");
    raw.textContent = JSON.stringify(cell, null, 2);
    const files = document.createElement("p");
    for (const path of cell.provenance.raw ?? []) {
      const link = document.createElement("a");
      link.href = path;
      link.textContent = path;
      files.append(link, " ");
    }
    show(cell.cell, files, raw);
  });
}
