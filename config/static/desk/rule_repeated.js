/* What happens where the person has an open lead already, a part of `Extra` (rules.admin.rule_routes). */
"use strict";
(function () {
  const { element, sections } = window.deskRule;

  function labelled(text, control) {
    const line = element("label", "desk-pick");
    control.setAttribute("aria-label", text);
    line.append(element("span", "desk-quiet", text));
    if (control.type === "checkbox") {
      line.className = "desk-row";
      line.prepend(control);
    } else {
      control.className = "desk-source";
      line.append(control);
    }
    return line;
  }

  function section(picker) {
    const { offers, texts, value } = picker;
    if (!offers.repeated.length) return "";
    const shell = element("section", "desk-record");
    shell.dataset.part = "repeated";
    shell.append(element("h3", "desk-heading", texts.repeated), element("p", "desk-quiet", texts.repeated_help));
    const said = value.Repeated || {};
    const way = element("select");
    for (const [id, name] of offers.repeated) way.append(new Option(name, id));
    way.value = said.Do || offers.repeated[0][0];
    way.addEventListener("change", () => {
      if (way.selectedIndex) value.Repeated = { WithinDays: said.WithinDays || 30, Do: way.value };
      else delete value.Repeated;
      picker.redraw();
    });
    shell.append(labelled(texts.repeated, way));
    if (said.Do) {
      const days = element("input");
      days.type = "number";
      Object.assign(days, { min: 1, max: 365, value: said.WithinDays });
      days.addEventListener("input", () => {
        value.Repeated.WithinDays = Number(days.value) || days.value;
        picker.write();
      });
      shell.append(labelled(texts.within, days));
      if (said.Do === "note") {
        const task = element("input");
        task.type = "checkbox";
        task.checked = Boolean(said.Task);
        task.addEventListener("change", () => {
          if (task.checked) value.Repeated.Task = true;
          else delete value.Repeated.Task;
          picker.write();
        });
        shell.append(labelled(texts.repeated_task, task));
      }
    }
    return shell;
  }

  sections.push(section);
})();
