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
  const FOREIGN = [ // what parts of the theme call in English whatever is spoken: attribute, their words, ours
    ["aria-label", "scrollable content", "scrolled"], ["title", "Remove all items", "clear"],
  ];
  const LOOK = 50; // ms between two looks at what the theme shows, which takes its time to show and to hide
  const LOOKS = 60;
  let opened = null; // {opener, before, panel}: what a key has opened last; no panel while nothing of it is seen

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
    for (const [where, theirs, ours] of FOREIGN) {
      document.querySelectorAll(`[${where}="${theirs}"]`).forEach((one) => one.setAttribute(where, texts[ours]));
    }
  }

  /* The largest part of the page around ``first`` that shows nothing of what was there before. */
  function panelOf(first, before) {
    let panel = first;
    while (panel.parentElement && !before.some((one) => panel.parentElement.contains(one))) panel = panel.parentElement;
    return panel;
  }

  /* Look until ``seen`` gives something, and do ``then`` with it; give up after three seconds. */
  function whenSeen(seen, then, looks = LOOKS) {
    const found = seen();
    if (found) then(found);
    else if (looks) setTimeout(() => whenSeen(seen, then, looks - 1), LOOK);
  }

  function press(opener) {
    const now = { opener, before: reached(document), panel: null };
    const first = () => opened === now && reached(document).find((one) => !now.before.includes(one));
    opened = now;
    opener.click();
    whenSeen(first, (one) => {
      now.panel = panelOf(one, now.before);
      if (now.panel.previousElementSibling === opener) opened = null; // what follows the button needs no help
      else if (!now.panel.contains(document.activeElement)) one.focus();
    });
  }

  function escape() {
    const now = opened;
    // A click would open again what the theme closes by this key, or a moment later than we look.
    const closes = now.opener.getAttributeNames().some((one) => one.includes("keydown.escape"))
      || now.opener.getAttribute("x-on:click").includes("$dispatch");
    const close = () => {
      if (shown(now.panel) && !closes) now.opener.click();
      whenSeen(() => !shown(now.panel), () => {
        if (opened === now) opened = null;
        now.opener.focus();
      });
    };
    setTimeout(() => whenSeen(() => now.panel, close)); // after those who close by themselves
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
    if (opened?.panel && !shown(opened.panel)) opened = null;
    if (["Enter", " "].includes(event.key) && "deskKeys" in event.target.dataset) {
      event.preventDefault();
      press(event.target);
    } else if (opened && event.key === "Escape") escape();
    else if (opened?.panel && event.key === "Tab") turn(event);
  });

  document.addEventListener("DOMContentLoaded", () => {
    const texts = document.getElementById("desk-texts");
    if (!texts) return;
    equipAll(texts.dataset);
    new MutationObserver(() => equipAll(texts.dataset)).observe(document.body, { childList: true, subtree: true });
  });
})();
