// Keys for the list of breaks: j and k walk, Enter opens, m goes to the likeliest proposal, s to the
// form that splits, u to what takes back, ? says so. Everything that they reach is there without them.
const rows = [...document.querySelectorAll("[data-row]")];
let at = rows.findIndex((row) => row.hasAttribute("aria-current"));
const walk = (by) => {
  at = Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[at]?.focus();
};
const reach = (name) => {
  const found = document.querySelector(`[data-key="${name}"]`);
  if (!found) return;
  for (let box = found.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  found.focus();
};
const keys = {
  j: () => walk(1),
  k: () => walk(-1),
  m: () => reach("m"),
  s: () => reach("s"),
  u: () => reach("u"),
  "?": () => {
    const help = document.getElementById("keys");
    help.open = !help.open;
    help.firstElementChild.focus();
  },
};
document.addEventListener("keydown", (event) => {
  const { target } = event;
  const types = target.matches("textarea, select, input:not([type=checkbox])");
  if (event.ctrlKey || event.altKey || event.metaKey || types || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
for (const row of rows) row.addEventListener("focus", () => (at = rows.indexOf(row)));

// What is being written is kept until it is sent: a page that is loaded again loses nothing.
const pane = document.querySelector("[data-case]");
const place = (field) => `${pane.dataset.case}/${field.id}`;
for (const field of pane ? pane.querySelectorAll("input:not([type=hidden]):not([type=file]), textarea") : []) {
  const kept = sessionStorage.getItem(place(field));
  if (kept !== null) field.value = kept;
  field.addEventListener("input", () => sessionStorage.setItem(place(field), field.value));
  field.form.addEventListener("submit", () => sessionStorage.removeItem(place(field)));
}
