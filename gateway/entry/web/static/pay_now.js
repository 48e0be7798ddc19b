// Looks again by itself while an outcome is awaited; without it, «Kiểm tra lại» does the same.
// Soon at first, for who has just paid; then less and less, for who has left the page open.
const { dataset } = document.body;
const pauses_ms = [1000, 1000, 2000, 3000, 5000];
const pause_ms_max = Number(dataset.pace) || 10000; // A display at a counter never slows down.
const look = async (turn) => {
  try {
    const answer = await fetch(dataset.status, { cache: "no-store" });
    if (answer.ok && (await answer.json()).state !== dataset.state) return location.reload();
  } catch {}
  wait(turn + 1);
};
const wait = (turn) => setTimeout(look, Math.min(pauses_ms[turn] ?? pause_ms_max, pause_ms_max), turn);
if (dataset.watch) wait(0);

// Copies a line for the bank's app; where a browser does not let us, a tap selects it.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.firstElementChild.textContent = button.dataset.done;
  });
}
