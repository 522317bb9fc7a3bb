/* What happens where the person has an open lead already, a part of `Extra` (rules.admin.rule_routes). */
"use strict";
(function () {
  const { element, picked, labelled, check, sections } = window.deskRule;

  function section(picker) {
    const { offers, texts, value } = picker;
    if (!offers.repeated.length) return "";
    const shell = element("section", "desk-record");
    shell.dataset.part = "repeated";
    shell.append(element("h3", "desk-heading", texts.repeated), element("p", "desk-quiet", texts.repeated_help));
    const said = value.Repeated || {};
    const usual = offers.repeated[0][0]; // another lead, as without this
    shell.append(picked(texts.repeated, [{ items: offers.repeated }], said.Do || usual, (way) => {
      if (way === usual) delete value.Repeated;
      else value.Repeated = { WithinDays: said.WithinDays || 30, Do: way };
      picker.redraw();
    }));
    if (said.Do) {
      const days = element("input", "desk-source");
      Object.assign(days, { type: "number", min: 1, max: 365, value: said.WithinDays });
      days.addEventListener("input", () => {
        value.Repeated.WithinDays = Number(days.value) || days.value;
        picker.write();
      });
      shell.append(labelled(texts.within, days));
    }
    if (said.Do === "note") {
      shell.append(check(texts.repeated_task, said.Task, (on) => {
        if (on) value.Repeated.Task = true;
        else delete value.Repeated.Task;
        picker.write();
      }));
    }
    return shell;
  }

  sections.push(section);
})();
