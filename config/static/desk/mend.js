/* The page that sets a value right: what stands now is in the box, so that nobody types it anew to change a letter. */
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const what = document.getElementById("id_what");
  const box = document.getElementById("id_value");
  if (!what || !box) return;
  const now = JSON.parse(what.dataset.now || "{}");
  what.addEventListener("change", () => {
    box.value = now[what.value] || "";
  });
});
