/* Conditions and routes on a rule's page. The value is what REST has under `Extra`, as JSON in the form's text box,
   written only when somebody changes something. */
"use strict";
(function () {
  const { element, parsed, typeAhead, input, picked, labelled, button, conditions } = window.deskRule;

  /* "1-5 09:00-18:00" and "6,7 10:00-14:00"; what is none goes along as it is, and is refused by its place. */
  function shiftOf(text) {
    const found = text.trim().match(/^(?:([1-7,-]+)\s+)?(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)$/);
    if (!found) return { From: text.trim(), To: "" };
    const shift = { From: found[2], To: found[3] };
    return found[1] ? { Days: found[1].split(",").flatMap(daysOf), ...shift } : shift;
  }

  function daysOf(part) {
    const [first, last] = part.split("-").map(Number);
    return last ? Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n) : [first];
  }

  function shiftText({ Days, From, To }) {
    return `${Days ? Days.join(",") + " " : ""}${From}-${To}`;
  }

  function absenceOf(text) {
    const [From, To] = text.trim().split(/[\s–]+/);
    return { From, To: To || From };
  }

  function absenceText({ From, To }) {
    return `${From} ${To}`;
  }

  const PARTS = {
    SendIf: "send-if", Routes: "routes", Responsible: "turns", Task: "task", Title: "texts", Sum: "texts", Note: "texts",
    Values: "texts", Options: "options", Existing: "existing", Repeated: "repeated",
  };

  class RoutesPicker {
    constructor(box, editor) {
      this.box = box;
      this.editor = editor;
      this.offers = editor.routing;
      this.texts = { ...editor.texts, ...editor.routing.texts };
      this.options = new Map(this.offers.values.flatMap(({ items }) => items.map(([id, , options]) => [id, options])));
      this.value = parsed(box);
      this.shell = element("div", "desk-mapping desk-routes");
      box.after(this.shell);
      box.hidden = true;
      this.draw();
      this.complain();
    }

    /* What was wrong goes from the list of errors, which is below all sections, to where it is, without its place in
       the JSON. What has no section stays in the list. */
    complain() {
      const line = this.box.closest(".field-line");
      const told = [];
      for (const item of line ? line.querySelectorAll(".errorlist li") : []) {
        const found = item.textContent.match(/\(([A-Z][A-Za-z]+)([^)]*)\):\s*(.*)/s);
        const section = found && this.shell.querySelector(`[data-part="${PARTS[found[1]]}"]`);
        if (!section) continue;
        const [, , place, words] = found;
        const [, number] = place.match(/\[(\d+)\]/) || [];
        const card = section.querySelectorAll(":scope > .desk-route, :scope > .desk-test")[number];
        const complaint = element("p", "desk-wrong", words[0].toUpperCase() + words.slice(1).trim());
        complaint.setAttribute("role", "alert");
        if (card && card.matches(".desk-route")) card.firstChild.after(complaint);
        else if (card) card.after(complaint);
        else section.querySelector("h3").after(complaint);
        told.push(complaint);
        const list = item.parentElement;
        item.remove();
        if (!list.children.length) list.remove();
      }
      if (told.length) told[0].scrollIntoView({ block: "center" });
    }

    write() {
      const said = Object.entries(this.value).filter(([, part]) => Object.keys(part).length);
      this.box.value = JSON.stringify(Object.fromEntries(said));
      this.box.dispatchEvent(new Event("change", { bubbles: true }));
    }

    redraw() {
      this.draw();
      this.write();
    }

    draw() {
      const { texts } = this;
      const routes = (this.value.Routes = this.value.Routes || []);
      this.shell.replaceChildren();
      const send = element("section", "desk-record");
      send.dataset.part = "send-if";
      send.append(element("h3", "desk-heading", texts.send_if));
      if (!Object.keys(this.value.SendIf || {}).length) send.append(element("p", "desk-quiet", texts.send_all));
      send.append(conditions(this, this.value.SendIf, (made) => (this.value.SendIf = made)));
      const list = element("section", "desk-record");
      list.dataset.part = "routes";
      list.append(element("h3", "desk-heading", texts.routes));
      if (!routes.length) list.append(element("p", "desk-quiet", texts.no_routes));
      routes.forEach((route, number) => list.append(this.route(route, number, routes)));
      list.append(button("+ " + texts.add_route, "desk-add desk-link", () => {
        routes.push({ Name: this.freeName(routes), If: {}, Then: {} });
        this.redraw();
      }));
      this.shell.append(send, list, this.turns(), this.task(), this.ownTexts());
      for (const section of window.deskRule.sections) this.shell.append(section(this));
    }

    turns() {
      const { texts, offers } = this;
      const section = element("section", "desk-record");
      section.dataset.part = "turns";
      section.append(element("h3", "desk-heading", texts.turns), element("p", "desk-quiet", texts.turns_help));
      const said = (this.value.Responsible = this.value.Responsible || {});
      const people = said.People || [];
      for (const one of people) section.append(this.person(one, people));
      section.append(button("+ " + texts.add_person, "desk-add desk-link", () => {
        said.People = [...people, { PerformerID: "", Weight: 1 }];
        this.redraw();
      }));
      section.append(labelled(texts.by, picked(texts.by, offers.values, said.By, (name) => {
        if (name) Object.assign(said, { By: name, Map: said.Map || {} });
        else for (const key of ["By", "Map"]) delete said[key];
        this.redraw();
      }, texts.by_none)));
      if (said.By) this.named(said, section);
      return section;
    }

    /* Whom an answer names: rows of texts and people. */
    named(said, section) {
      const { texts, offers } = this;
      const rows = Object.entries(said.Map || {});
      const keep = () => { said.Map = Object.fromEntries(rows); this.write(); };
      rows.forEach((row, number) => {
        const line = element("div", "desk-pair");
        const who = picked(`${texts.person}: ${row[0]}`, offers.performers, String(row[1] || ""), (id) => { row[1] = id; keep(); }, texts.person);
        const remove = button("×", "desk-remove", () => { rows.splice(number, 1); keep(); this.draw(); }, texts.remove);
        line.append(input(texts.text, row[0], (text) => { row[0] = text.trim(); keep(); }), element("span", "desk-arrow", "→"), who, remove);
        section.append(line);
      });
      section.append(button("+ " + texts.add_text, "desk-add desk-link", () => { rows.push(["", ""]); keep(); this.draw(); }));
    }

    person(one, people) {
      const { texts, offers } = this;
      const line = element("div", "desk-route");
      const who = picked(texts.person, offers.performers, String(one.PerformerID || ""), (id) => { one.PerformerID = id; this.write(); }, texts.person);
      const weight = input(texts.weight, one.Weight, (text) => { one.Weight = Number(text) || text; this.write(); });
      const head = element("div", "desk-row");
      head.append(who, labelled(texts.weight, weight), button("×", "desk-remove", () => {
        people.splice(people.indexOf(one), 1);
        if (!people.length) delete this.value.Responsible.People;
        this.redraw();
      }, texts.remove));
      line.append(head, this.lines(texts.hours, one, "Hours", shiftOf, shiftText), this.lines(texts.away, one, "Away", absenceOf, absenceText));
      return line;
    }

    /* A list of `one` as text, one item a line. */
    lines(title, one, key, read, written) {
      const box = element("textarea", "desk-source desk-lines");
      box.rows = Math.max(1, (one[key] || []).length);
      box.value = (one[key] || []).map(written).join("\n");
      box.setAttribute("aria-label", title);
      box.addEventListener("input", () => {
        const rows = box.value.split("\n").filter((text) => text.trim()).map(read);
        if (rows.length) one[key] = rows;
        else delete one[key];
        this.write();
      });
      return labelled(title, box);
    }

    task() {
      const { texts, offers } = this;
      const section = element("section", "desk-record");
      section.dataset.part = "task";
      section.append(element("h3", "desk-heading", texts.task));
      if (offers.tasks.refusal) {
        section.append(element("p", "desk-quiet", offers.tasks.refusal));
        return section;
      }
      section.append(element("p", "desk-quiet", texts.task_help), this.taskOf(this.value));
      return section;
    }

    /* The task that `owner`, the rule or a route, asks for. */
    taskOf(owner) {
      const { texts, offers } = this;
      const shell = element("div", "desk-pairs");
      const said = owner.Task;
      if (!said || !said.Text && !said.Minutes) {
        shell.append(button("+ " + texts.add_task, "desk-add desk-link", () => {
          owner.Task = { Text: "", Minutes: 15 };
          this.redraw();
        }));
        return shell;
      }
      const keep = (key, value) => {
        if (value === "") delete said[key];
        else said[key] = value;
        this.write();
      };
      const card = element("div", "desk-route");
      const who = picked(texts.task_performer, offers.performers, String(said.PerformerID || ""), (id) => keep("PerformerID", id), texts.task_own);
      const minutes = input(texts.task_minutes, said.Minutes, (text) => keep("Minutes", Number(text) || text));
      const head = element("div", "desk-row");
      head.append(this.text(texts.task_text, said.Text, true, (text) => (said.Text = text)), button("×", "desk-remove", () => {
        delete owner.Task;
        this.redraw();
      }, `${texts.remove}: ${texts.task}`));
      card.append(element("span", "desk-quiet", texts.task_text), head, labelled(texts.task_minutes, minutes), labelled(texts.task_performer, who));
      for (const [key, title, offered] of [["DepartmentID", texts.task_department, offers.tasks.departments], ["Type", texts.task_type, offers.tasks.types]]) {
        if (offered || said[key]) card.append(labelled(title, input(title, said[key], (text) => keep(key, text.trim()))));
      }
      card.append(this.lines(texts.task_hours, said, "Hours", shiftOf, shiftText));
      shell.append(card);
      return shell;
    }

    /* A route has the rule's task, one of its own, or none (null). */
    routeTask(then) {
      const { texts, offers } = this;
      const shell = element("div", "desk-pairs");
      if (offers.tasks.refusal) return shell;
      const now = "Task" in then ? (then.Task ? "own" : "none") : "";
      const ways = [{ items: [["none", texts.no_task], ["own", texts.add_task]] }];
      shell.append(labelled(texts.task, picked(texts.task, ways, now, (way) => {
        if (way === "own") then.Task = { Text: "", Minutes: 15 };
        else if (way) then.Task = null;
        else delete then.Task;
        this.redraw();
      }, `${texts.task}: ${texts.same}`)));
      if (then.Task) shell.append(this.taskOf(then));
      return shell;
    }

    ownTexts() {
      const { texts } = this;
      const section = element("section", "desk-record");
      section.dataset.part = "texts";
      section.append(element("h3", "desk-heading", texts.texts), element("p", "desk-quiet", texts.texts_help));
      for (const [key, title] of [["Title", texts.title], ["Sum", texts.sum], ["Note", texts.note]]) {
        section.append(labelled(title, this.text(title, this.value[key], key === "Note", (text) => (this.value[key] = text))));
      }
      const values = (this.value.Values = this.value.Values || []);
      for (const one of values) section.append(this.fieldText(one, values));
      section.append(button("+ " + texts.add_value, "desk-add desk-link", () => {
        values.push({ Record: this.editor.records[0].key, Field: "", Value: "" });
        this.redraw();
      }));
      return section;
    }

    fieldText(one, values) {
      const { texts } = this;
      const line = element("div", "desk-test");
      const groups = this.editor.records.map(({ key, title, fields }) => ({ title, items: fields.map(({ id, name }) => [`${key}|${id}`, name]) }));
      const field = picked(texts.field, groups, one.Field ? `${one.Record}|${one.Field}` : "", (chosen) => {
        const [record, id] = chosen.split("|");
        Object.assign(one, { Record: record || one.Record, Field: id || "" });
        this.write();
      }, texts.choose_field);
      const text = this.text(texts.text, one.Value, false, (said) => (one.Value = said));
      text.classList.add("desk-two");
      line.append(field, text, button("×", "desk-remove", () => { values.splice(values.indexOf(one), 1); this.redraw(); }, texts.remove));
      return line;
    }

    /* A box for a text, and a list that puts a value's gap where the cursor is. */
    text(label, said, long, keep) {
      const shell = element("div", "desk-row desk-text");
      const box = element(long ? "textarea" : "input", "desk-source");
      box.value = said || "";
      box.setAttribute("aria-label", label);
      const changed = () => { keep(box.value); this.write(); };
      box.addEventListener("input", changed);
      const gaps = picked(this.texts.insert, this.offers.values, "", (value) => {
        const [group, own] = value.split(/\.(.*)/s);
        const name = own === undefined || /^[A-Za-z_]\w*$/.test(own) ? value : `${group}[${JSON.stringify(own)}]`;
        box.setRangeText(`{{ ${name} }}`, box.selectionStart, box.selectionEnd, "end");
        gaps.value = "";
        changed();
      }, "+");
      shell.append(box, gaps);
      return shell;
    }

    freeName(routes) {
      let number = routes.length + 1;
      while (routes.some((one) => one.Name === `${this.texts.route} ${number}`)) number += 1;
      return `${this.texts.route} ${number}`;
    }

    route(route, number, routes) {
      const { texts, offers } = this;
      const card = element("div", "desk-route");
      const head = element("div", "desk-row");
      const name = input(texts.name, route.Name, (text) => { route.Name = text; this.write(); });
      const swap = (other) => {
        [routes[number], routes[other]] = [routes[other], routes[number]];
        this.redraw();
      };
      head.append(element("strong", "", `${number + 1}.`), name);
      if (number) head.append(button("↑", "desk-remove", () => swap(number - 1), `${texts.up}: ${route.Name}`));
      if (number + 1 < routes.length) head.append(button("↓", "desk-remove", () => swap(number + 1), `${texts.down}: ${route.Name}`));
      head.append(button("×", "desk-remove", () => { routes.splice(number, 1); this.redraw(); }, `${texts.remove}: ${route.Name}`));
      card.append(head, conditions(this, route.If, (made) => (route.If = made)));
      const then = element("div", "desk-then");
      then.append(this.placement(route.Then), this.place(texts.performer, offers.performers, route.Then, offers.keys.performer));
      for (const choice of offers.choices) then.append(this.choice(choice, route.Then));
      card.append(then, this.routeTask(route.Then));
      const tagged = this.editor.records.filter((record) => record.tags.length || !this.editor.tagIds);
      if (tagged.length) card.append(element("span", "desk-quiet", this.texts.add_tag));
      for (const record of tagged) card.append(this.tags(record, route.Then));
      return card;
    }

    placement(then) {
      const { texts, offers } = this;
      const { pipeline, step } = offers.keys;
      const now = pipeline in then || step in then ? `${then[pipeline] ?? ""}|${then[step] || ""}` : "";
      return labelled(texts.placement, picked(texts.placement, offers.placements, now, (chosen) => {
        delete then[pipeline];
        delete then[step];
        if (chosen) [then[pipeline], then[step]] = chosen.split("|");
        if (this.editor.tagIds && chosen) then[step] = then[step] || 0;
        this.write();
      }, texts.same));
    }

    /* What a route says under `key`, or what the rule does; `read` makes the value of what was chosen. */
    place(title, groups, then, key, now = String(then[key]), read = String) {
      return labelled(title, picked(title, groups, key in then ? now : "", (chosen) => {
        if (chosen) then[key] = read(chosen);
        else delete then[key];
        this.write();
      }, this.texts.same));
    }

    choice(choice, then) {
      if (choice.typed) {
        const typed = input(this.texts.same, then[choice.name], (text) => {
          if (text) then[choice.name] = text;
          else delete then[choice.name];
          this.write();
        });
        return labelled(choice.title, typed);
      }
      if (!choice.flag) return this.place(choice.title, choice.options, then, choice.name);
      return this.place(choice.title, choice.options, then, choice.name, then[choice.name] ? "yes" : "no", (chosen) => chosen === "yes");
    }

    tags(record, then) {
      const { tagIds } = this.editor;
      const key = tagIds ? record.key[0].toUpperCase() + record.key.slice(1) : record.key;
      const line = element("div", "desk-pair desk-tags");
      const made = element("select");
      made.multiple = true;
      made.setAttribute("aria-label", `${record.title}: ${this.texts.add_tag}`);
      for (const tag of (then.TagsToAdd || {})[key] || []) {
        const known = record.tags.find((one) => String(one.id) === String(tag));
        made.append(new Option(known ? known.name : tag, tag, true, true));
      }
      const cell = element("div", "desk-pick");
      cell.append(made);
      line.append(element("span", "", record.title), element("span"), cell);
      const items = record.tags.map((one) => ({ id: String(one.id), text: one.name, search: one.name.toLowerCase() }));
      typeAhead(made, () => items, this.texts, { placeholder: this.texts.add_tag, tags: !tagIds });
      django.jQuery(made).on("change", () => {
        const chosen = [...made.selectedOptions].map((one) => (tagIds ? Number(one.value) : one.value));
        const tags = { ...then.TagsToAdd, [key]: chosen };
        if (!chosen.length) delete tags[key];
        if (Object.keys(tags).length) then.TagsToAdd = tags;
        else delete then.TagsToAdd;
        this.write();
      });
      return line;
    }
  }

  window.deskRule.pickers.routes = RoutesPicker;
})();
