/* What the theme opens by clicks on things that no key reaches is a button here: Tab reaches it, Enter and the space
   bar press it, focus goes into what it opened and Escape leads back. Its icons are words of a font, which nobody
   should have read out. */
"use strict";
(function () {
  const CLICKED = "[x-on\\:click]:not(#changelist-filter-close)";
  const NATIVE = "a[href], button, input, select, textarea, summary";
  const REACHED = `${NATIVE}, [tabindex="0"]`;
  const ICON = ".material-symbols-outlined:not(button, [x-on\\:click])";
  const NAMES = { // of what is an icon alone, by the icon
    add: "add", arrow_back: "back", close: "menu", computer: "theme", conversion_path: "home", dark_mode: "theme",
    dock_to_right: "menu", light_mode: "theme", more_horiz: "actions", search: "search",
  };
  const PATIENCE = 250; // ms that the theme takes to show and to hide
  let opened = null; // {opener, panel}: what a key has opened last

  const shown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== "hidden";
  const reached = (where) => [...where.querySelectorAll(REACHED)].filter(shown);

  function equip(one) {
    if (one.matches(NATIVE) || one.hasAttribute("role")) return;
    one.setAttribute("role", "button");
    one.tabIndex = 0;
    one.dataset.deskKeys = "";
  }

  function name(icon, texts) {
    const of = icon.closest("a, button, [role=button]");
    const known = NAMES[icon.textContent.trim()];
    if (of && known && !of.title && !of.ariaLabel && of.textContent.trim() === icon.textContent.trim()) {
      of.ariaLabel = texts[known];
    }
  }

  function equipAll(texts) {
    document.querySelectorAll(CLICKED).forEach(equip);
    document.querySelectorAll(".material-symbols-outlined").forEach((icon) => name(icon, texts));
    document.querySelectorAll(ICON).forEach((icon) => icon.setAttribute("aria-hidden", "true"));
  }

  /* The largest part of the page around ``first`` that shows nothing of what was there before. */
  function panelOf(first, before) {
    let panel = first;
    while (panel.parentElement && !before.some((one) => panel.parentElement.contains(one))) panel = panel.parentElement;
    return panel;
  }

  function press(opener) {
    const before = reached(document);
    opener.click();
    setTimeout(() => {
      const first = reached(document).find((one) => !before.includes(one));
      const panel = first && panelOf(first, before);
      if (!panel || panel.previousElementSibling === opener) return; // what follows the button needs no help
      opened = { opener, panel };
      if (!panel.contains(document.activeElement)) first.focus();
    }, PATIENCE);
  }

  function escape() {
    const { opener, panel } = opened;
    setTimeout(() => { // after those who close by themselves
      if (shown(panel) && !opener.getAttribute("x-on:click").includes("$dispatch")) opener.click();
      setTimeout(() => {
        if (shown(panel)) return;
        opened = null;
        opener.focus();
      }, PATIENCE);
    });
  }

  /* From the last thing of an open panel Tab leads to its first one, not to what is behind it. */
  function turn(event) {
    const inside = reached(opened.panel);
    const [from, to] = event.shiftKey ? [inside[0], inside.at(-1)] : [inside.at(-1), inside[0]];
    if (document.activeElement !== from) return;
    event.preventDefault();
    to.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (opened && !shown(opened.panel)) opened = null;
    if (["Enter", " "].includes(event.key) && "deskKeys" in event.target.dataset) {
      event.preventDefault();
      press(event.target);
    } else if (opened && event.key === "Escape") escape();
    else if (opened && event.key === "Tab") turn(event);
  });

  document.addEventListener("DOMContentLoaded", () => {
    const texts = document.getElementById("desk-texts");
    if (!texts) return;
    equipAll(texts.dataset);
    new MutationObserver(() => equipAll(texts.dataset)).observe(document.body, { childList: true, subtree: true });
  });
})();
