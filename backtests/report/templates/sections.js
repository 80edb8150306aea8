// Sections open and close; what the reader chose is kept for all pages of this kind.
(() => {
  "use strict";
  const parts = [...document.querySelectorAll("details.part")];
  const links = [...document.querySelectorAll("#outline a")];
  const key = `sections of ${document.body.dataset.kind}`;
  const idOf = (part) => part.parentElement.id;

  // a browser may hand out no storage to a page from disk
  function recall() {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? {};
    } catch {
      return {};
    }
  }

  function remember(part, isOpen) {
    try {
      localStorage.setItem(key, JSON.stringify({ ...recall(), [idOf(part)]: isOpen }));
    } catch { /* the section opens all the same */ }
  }

  function reveal(hash) {
    const part = hash && document.getElementById(hash.slice(1))?.querySelector(":scope > details.part");
    if (part) part.open = true;
  }

  function mark(id) {
    links.forEach((link) => {
      const isHere = link.hash === `#${id}`;
      if (isHere === link.hasAttribute("aria-current")) return;
      link.toggleAttribute("aria-current", isHere);
      if (isHere) {
        link.setAttribute("aria-current", "true");
        link.closest("nav").scrollTo({ left: link.offsetLeft - 60 });
      }
    });
  }

  const chosen = recall();
  parts.forEach((part) => {
    if (idOf(part) in chosen) part.open = chosen[idOf(part)];
    // the click comes before the section turns
    part.firstElementChild.addEventListener("click", () => remember(part, !part.open));
  });
  links.forEach((link) => link.addEventListener("click", () => reveal(link.hash)));
  addEventListener("hashchange", () => reveal(location.hash));
  reveal(location.hash);
  const sight = new IntersectionObserver((entries) => {
    const entered = entries.find((entry) => entry.isIntersecting);
    if (entered) mark(idOf(entered.target));
  }, { rootMargin: "-15% 0px -75% 0px" });
  if (links.length) parts.forEach((part) => sight.observe(part));

  // paper shows everything, with the contents after the headline
  let shut = [];
  addEventListener("beforeprint", () => {
    shut = parts.filter((part) => !part.open);
    shut.forEach((part) => { part.open = true; });
    document.querySelector("main header")?.after(...document.querySelectorAll("#outline"));
  });
  addEventListener("afterprint", () => {
    shut.forEach((part) => { part.open = false; });
    document.querySelector(".page").prepend(...document.querySelectorAll("#outline"));
  });
  if (location.hash === "#print") dispatchEvent(new Event("beforeprint"));
})();
