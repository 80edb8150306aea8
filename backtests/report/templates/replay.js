// The replay: one order after another, with the panels around it, by button or arrow key.
(() => {
  "use strict";
  const part = document.getElementById("replay");
  const steps = JSON.parse(document.getElementById("steps").textContent);
  const [back, on] = part.querySelectorAll("button");
  const [place, facts] = [part.querySelector("output"), part.querySelector("dl")];
  let at = -1;

  function go(to) {
    if (to < 0 || to >= steps.length) return;
    at = to;
    place.textContent = `${at + 1} of ${steps.length}: ${steps[at].date}`;
    facts.replaceChildren(...Object.entries(steps[at].texts).flatMap(([name, text]) => {
      const [term, said] = ["dt", "dd"].map((tag) => document.createElement(tag));
      term.textContent = name;
      said.textContent = text;
      return [term, said];
    }));
    [back.disabled, on.disabled] = [at === 0, at === steps.length - 1];
    document.dispatchEvent(new CustomEvent("moment", { detail: steps[at].at }));
  }

  back.addEventListener("click", () => go(at - 1));
  on.addEventListener("click", () => go(at + 1));
  part.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    go(at + by);
  });
})();
