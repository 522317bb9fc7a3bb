/* A copy button beside ids, marks and addresses: whatever has the class desk-mono or the attribute data-copy. */
"use strict";
(function () {
  const PLACES = ".desk-mono:not(pre):not(code), [data-copy]:not(template), textarea.desk-copy";

  function copied(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const box = document.createElement("textarea"); // plain http on a machine of one's own
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    return Promise.resolve();
  }

  function equip(place, texts) {
    const text = (place.value || place.textContent || "").trim();
    if (!text || text === "-" || place.dataset.copyable) return;
    place.dataset.copyable = "yes";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "desk-copier material-symbols-outlined";
    button.textContent = "content_copy";
    button.title = texts.copy;
    button.setAttribute("aria-label", `${texts.copy}: ${text.slice(0, 60)}`);
    button.addEventListener("click", async () => {
      await copied(text);
      button.textContent = "check";
      button.title = texts.copied;
      setTimeout(() => { button.textContent = "content_copy"; button.title = texts.copy; }, 1500);
    });
    if (["DD", "TD"].includes(place.tagName)) place.append(button);
    else place.after(button);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const texts = document.getElementById("desk-texts");
    if (texts) document.querySelectorAll(PLACES).forEach((place) => equip(place, texts.dataset));
  });
})();
