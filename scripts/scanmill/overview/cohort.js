// Tables that sort, the filters of the table of cases, and the plot of a distribution.
const byId = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const collator = new Intl.Collator("en", { numeric: true });

// Numbers before words, and what is missing last, whichever way.
function compared(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
}

function sort(table, column, sign) {
  const key = ({ dataset, textContent }) => ("value" in dataset ? +dataset.value : textContent.trim());
  const rows = [...table.tBodies[0].rows].map((row) => [key(row.cells[column]), row]);
  rows.sort(([a], [b]) => compared(a, b, sign));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

all(".sortable").forEach((table) =>
  all("thead th", table).forEach((head, column, heads) =>
    head.firstElementChild.addEventListener("click", () => {
      const down = head.ariaSort === "ascending";
      heads.forEach((other) => (other.ariaSort = "none"));
      head.ariaSort = down ? "descending" : "ascending";
      sort(table, column, down ? -1 : 1);
    })
  )
);

function filterCases() {
  const rows = [...byId("table").tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const kinds = all("[data-kind]");
  const columns = all("#filters [data-column]");
  const show = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/);
    const kind = kinds.find((button) => button.ariaPressed === "true").dataset.kind;
    const code = byId("code").value;
    let count = 0;
    rows.forEach((row, n) => {
      const has = (asked, own) => !asked || own.split(" ").includes(asked);
      row.hidden = !(
        has(kind, row.dataset.kinds) &&
        has(code, row.dataset.codes) &&
        columns.every(({ value, dataset }) => !value || row.cells[dataset.column].textContent === value) &&
        words.every((word) => texts[n].includes(word))
      );
      count += !row.hidden;
    });
    byId("count").textContent = `${count} of ${rows.length} cases`;
  };
  const press = (kind) => kinds.forEach((button) => (button.ariaPressed = String(button.dataset.kind === kind)));
  kinds.forEach((button) => button.addEventListener("click", () => (press(button.dataset.kind), show())));
  byId("filters").addEventListener("input", show);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  all("[data-show]").forEach((button) =>
    button.addEventListener("click", () => {
      press("");
      byId("filters").reset();
      byId("code").value = button.dataset.show;
      show();
      byId("cases").scrollIntoView();
      byId("code").focus({ preventScroll: true });
    })
  );
}

// Between the two nearest values, as most programs do.
function quantile(sorted, part) {
  const place = (sorted.length - 1) * part;
  const low = sorted[Math.floor(place)];
  return low + (sorted[Math.ceil(place)] - low) * (place % 1);
}

function shown(value) {
  if (Math.abs(value) < 1) return String(+value.toPrecision(4));
  return value.toFixed(Math.max(0, 4 - String(Math.trunc(Math.abs(value))).length));
}

function node(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Round steps of a scale, about so many.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= 0.8 * rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high; n++) found.push((n * step).toFixed(digits));
  return found;
}

const ROW = 74, TOP = 8, BOTTOM = 46, BOX = 44, MANY = 150, FEW = 5;

function plot(data) {
  const [structure, quantity] = [+byId("structure").value, +byId("quantity").value];
  const by = byId("group").value;
  const measure = data.measures.find((m) => m.structure === structure && m.quantity === quantity);
  const { title, unit } = data.quantities[quantity];
  const name = `${title} of ${data.structures[structure]}${unit && `, ${unit}`}`;
  const groups = new Map();
  measure?.values.forEach((value, n) => {
    if (value === null) return;
    const group = by === "" ? "all cases" : data.groups[by][n] || "not given";
    groups.set(group, [...(groups.get(group) ?? []), n]);
  });
  const sorted = [...groups].sort(([a], [b]) => collator.compare(a, b));
  const boxes = sorted.map(([group, cases]) => {
    const values = cases.map((n) => measure.values[n]).sort((a, b) => a - b);
    return { group, cases, values, quartiles: [0.25, 0.5, 0.75].map((part) => quantile(values, part)) };
  });
  byId("numbers").tBodies[0].replaceChildren(
    ...boxes.map(({ group, values, quartiles: [low, middle, high] }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = group;
      row.append(head);
      for (const text of [values.length, ...[middle, low, high, values[0], values.at(-1)].map(shown)])
        row.insertCell().textContent = text;
      return row;
    })
  );
  draw(data, measure, name, boxes);
}

function draw(data, measure, name, boxes) {
  const svg = byId("plot");
  const width = svg.parentElement.clientWidth;
  const left = Math.min(150, width / 4), right = width - 14;
  const height = TOP + ROW * Math.max(1, boxes.length) + BOTTOM;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", boxes.length ? name : `${name}: no value`);
  svg.replaceChildren();
  if (!boxes.length) {
    svg.append(node("text", { x: left, y: TOP + ROW / 2 }, "No value"));
    return;
  }
  const values = boxes.flatMap((box) => box.values);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least || Math.abs(most) || 1) * 0.04;
  const [low, high] = [least - room, most + room];
  const x = (value) => left + ((value - low) / (high - low)) * (right - left);
  const foot = height - BOTTOM;
  for (const tick of ticks(low, high, Math.max(3, (right - left) / 110))) {
    svg.append(node("path", { d: `M${x(+tick)} ${foot}v5` }));
    svg.append(node("text", { x: x(+tick), y: foot + 19, "text-anchor": "middle", class: "dim" }, tick));
  }
  svg.append(node("path", { d: `M${left} ${foot}H${right}` }));
  svg.append(node("text", { x: (left + right) / 2, y: foot + 38, "text-anchor": "middle" }, name));
  for (const end of measure.ends ?? [])
    if (end > low && end < high) svg.append(node("path", { d: `M${x(end)} ${TOP}V${foot}`, class: "end" }));
  const far = new Set(measure.outliers);
  boxes.forEach(({ group, cases, values: own, quartiles: [first, middle, third] }, n) => {
    const y = TOP + ROW * (n + 0.5);
    const label = node("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, group);
    label.append(node("tspan", { x: left - 10, dy: 16, class: "dim" }, `n = ${own.length}`));
    const box = { x: x(first), y: y - BOX / 2, width: Math.max(1, x(third) - x(first)), height: BOX };
    const boxed = own.length >= FEW;
    svg.append(label);
    if (boxed) svg.append(node("rect", { ...box, class: "box" }));
    // Outliers last, on the others; points of one value lie beside each other, always at the same place.
    for (const at of [...cases].sort((a, b) => far.has(a) - far.has(b))) {
      const place = { cx: x(measure.values[at]), cy: y + (((at * 0.618) % 1) - 0.5) * BOX * 0.8 };
      const said = `${data.cases[at]}: ${shown(measure.values[at])}`;
      const page = `../cases/${data.cases[at]}/report.html`;
      if (far.has(at)) {
        const link = node("a", { href: page, "aria-label": `${said}, an outlier` });
        link.append(node("circle", { ...place, r: 5.5, class: "point outlier" }, node("title", {}, said)));
        svg.append(link);
      } else {
        const r = own.length > MANY ? 2.5 : 4;
        svg.append(node("circle", { ...place, r, class: "point", "data-page": page }, node("title", {}, said)));
      }
    }
    if (boxed) svg.append(node("rect", { ...box, class: "quartiles" }));
    svg.append(node("path", { d: `M${x(middle)} ${y - BOX / 2}v${BOX}`, class: "median" }));
  });
}

function chooseDistribution(data) {
  const fill = (id, texts) => byId(id).append(...texts.map((text, n) => new Option(text, n)));
  fill("structure", data.structures);
  fill("quantity", data.quantities.map(({ title }) => title));
  byId("group").append(new Option("nothing", ""), ...Object.keys(data.groups).map((name) => new Option(name)));
  byId("group").selectedIndex = Math.min(1, Object.keys(data.groups).length);
  const again = () => plot(data);
  byId("choice").addEventListener("input", again);
  byId("plot").addEventListener("click", ({ target }) => {
    const { page } = target.closest("[data-page]")?.dataset ?? {};
    if (page) location.href = page;
  });
  new ResizeObserver(again).observe(byId("plot").parentElement);
}

if (byId("table")) filterCases();
if (byId("choice")) chooseDistribution(JSON.parse(byId("data").textContent));
