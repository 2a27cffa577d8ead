"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const rows = Array.from(document.getElementById("rows").rows, (row) => ({
    row,
    action: row.dataset.action,
    labels: row.dataset.labels.split(" "),
    text: row.textContent.toLowerCase(),
    marks: { "-errors": "errors" in row.dataset, "-skipped": "skipped" in row.dataset },
  }));
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  const total = rows.length.toLocaleString("en");

  const filter = () => {
    const actions = new Set(Array.from(form.querySelectorAll("input:checked"), (box) => box.value));
    const label = form.elements.label.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, action, labels, text, marks } of rows) {
      const passes =
        actions.has(action) &&
        (!label || marks[label] || labels.includes(label)) &&
        words.every((word) => text.includes(word));
      row.hidden = !passes;
      count += passes;
    }
    shown.textContent = `${count.toLocaleString("en")} of ${total} shown`;
    none.hidden = count > 0;
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
