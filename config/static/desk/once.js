/* A form that is under way is not sent again: on a slow line a second click would make a second lead or secret. */
"use strict";
(function () {
  const LONGEST = 10000; // milliseconds; a file to be downloaded leaves the page where it is

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.elements.action?.value?.startsWith("download")) return; // of a list, which is still there for other deeds
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    window.setTimeout(() => delete form.dataset.sent, LONGEST);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
