/* The page of a rule: its maps as pickers, and the preview beside it.

   A picker writes its value as JSON into the text box that the form sends, and only when somebody changes
   something: what nobody touched is saved as it was. The document it works with is rules.admin.rule_editor's. */
"use strict";
(function () {
  let $; // jQuery, with the lists that the theme brings
  const WISH = "*"; // the option that has a field made
  const PART = "part:"; // in front of a part of the contact form, to tell it from a question
  const SHOWN = 50; // results of a search that are listed at a time
  const WAIT = 500; // milliseconds after the last change until the preview is asked for

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function parsed(box) {
    try {
      return JSON.parse(box.value || "{}") || {};
    } catch (error) {
      return null; // what a refused form holds stays in sight as text
    }
  }

  /* A select with type-ahead over any number of items, of which only the matching ones become elements. */
  function typeAhead(select, items, texts, more) {
    const matching = (params, success) => {
      const term = (params.data.q || "").trim().toLowerCase();
      const page = params.data.page || 1;
      const found = items().filter((item) => !term || item.search.includes(term));
      success({ results: found.slice((page - 1) * SHOWN, page * SHOWN), pagination: { more: found.length > page * SHOWN } });
      return { abort() {} };
    };
    $(select).select2({
      theme: "admin-autocomplete",
      width: "100%",
      ajax: { transport: matching, delay: 0, data: (params) => ({ q: params.term, page: params.page }) },
      language: { noResults: () => texts.nothing_found, searching: () => "" },
      templateResult: (item) => {
        const shown = element("span", "", item.text);
        if (item.hint) shown.append(" ", element("span", "desk-quiet", item.hint));
        return shown;
      },
      ...more,
    });
  }

  function chosen(select, id, text) {
    select.replaceChildren();
    select.append(new Option("", ""));
    if (id !== "") select.append(new Option(text, id, true, true));
  }

  function select(label, className) {
    const made = element("select", className || "desk-source");
    made.setAttribute("aria-label", label);
    return made;
  }

  function input(label, value, changed) {
    const made = element("input", "desk-source");
    made.value = value === null || value === undefined ? "" : value;
    made.placeholder = label;
    made.setAttribute("aria-label", label);
    made.addEventListener("input", () => changed(made.value));
    return made;
  }

  function fill(into, groups, now, none) {
    if (none !== undefined) into.append(new Option(none, ""));
    const known = new Set();
    for (const { title, items } of groups) {
      const group = title ? element("optgroup") : into;
      if (title) group.label = title;
      for (const [id, name] of items) {
        known.add(id);
        group.append(new Option(name, id));
      }
      if (title) into.append(group);
    }
    if (now && !known.has(now)) into.append(new Option(now, now));
    into.value = now || "";
  }

  /* A select out of `groups` (see `fill`) that tells what was chosen. */
  function picked(label, groups, now, changed, none) {
    const made = select(label);
    fill(made, groups, now, none);
    made.addEventListener("change", () => changed(made.value));
    return made;
  }

  /* A control with its name above it. */
  function labelled(text, control) {
    const line = element("label", "desk-pick");
    line.append(element("span", "desk-quiet", text), control);
    return line;
  }

  function check(text, now, changed) {
    const line = element("label", "desk-row");
    const box = element("input");
    box.type = "checkbox";
    box.checked = Boolean(now);
    box.addEventListener("change", () => changed(box.checked));
    line.append(box, element("span", "", text));
    return line;
  }

  function button(text, className, clicked, label) {
    const made = element("button", className, text);
    made.type = "button";
    if (label) {
      made.title = label;
      made.setAttribute("aria-label", label);
    }
    made.addEventListener("click", clicked);
    return made;
  }

  class FieldsPicker {
    constructor(box, editor) {
      this.box = box;
      this.editor = editor;
      this.rows = [];
      this.shell = element("div", "desk-mapping");
      box.after(this.shell);
      box.hidden = true;
      this.questions = new Map(editor.questions.map((one) => [one.id, one]));
      this.records = editor.records.filter((one) => one.mapped);
      this.read(parsed(box));
      this.draw();
    }

    read(value) {
      for (const record of this.records) {
        const parts = value[record.key] || [];
        for (const part of Array.isArray(parts) ? parts : [parts]) {
          for (const [question, field] of Object.entries(part.QuestionID || {})) this.rows.push({ record, source: question, field: this.fieldId(field) });
          for (const [key, field] of Object.entries(part.ContactRuleMap || {})) this.rows.push({ record, source: PART + key, field: this.fieldId(field) });
        }
      }
    }

    fieldId(field) {
      return field === 0 || field === "" || field === "0" ? WISH : String(field);
    }

    /* The same shape as the CRM's contract has: lists of maps, or one map a record. */
    write() {
      const value = {};
      for (const record of this.records) {
        const rows = this.rows.filter((row) => row.record === record && row.source && row.field);
        const maps = [];
        for (const row of rows.filter((one) => !one.source.startsWith(PART))) {
          let map = maps.find((one) => this.editor.lists && !(row.source in one.QuestionID));
          if (!map && (this.editor.lists || !maps.length)) maps.push((map = { QuestionID: {} }));
          (map || maps[0]).QuestionID[row.source] = row.field === WISH ? this.editor.wish : row.field;
        }
        if (this.editor.lists) {
          value[record.key] = maps;
        } else {
          value[record.key] = maps[0] || { QuestionID: {} };
          if (record.contactMap) {
            const parts = rows.filter((one) => one.source.startsWith(PART));
            value[record.key].ContactRuleMap = Object.fromEntries(parts.map((one) => [one.source.slice(PART.length), one.field === WISH ? this.editor.wish : one.field]));
          }
        }
      }
      this.box.value = JSON.stringify(value);
      this.box.dispatchEvent(new Event("change", { bubbles: true }));
    }

    draw() {
      this.shell.replaceChildren();
      for (const record of this.records) this.shell.append(this.section(record));
      this.shell.append((this.rest = element("div", "desk-rest")));
      this.told();
    }

    section(record) {
      const section = element("section", "desk-record");
      section.dataset.record = record.key;
      section.append(element("h3", "desk-heading", record.title));
      const table = element("div", "desk-pairs");
      const rows = this.rows.filter((row) => row.record === record);
      if (rows.length) {
        const head = element("div", "desk-pair desk-quiet");
        head.append(element("span", "", this.editor.texts.field), element("span"), element("span", "", this.editor.texts.source));
        table.append(head);
      }
      for (const row of rows) table.append(this.pair(row));
      const add = button("+ " + this.editor.texts.add, "desk-add desk-link", () => this.insert({ record, source: "", field: "" }, true));
      section.append(table, add, (record.missing = element("p", "desk-told desk-quiet desk-missing")));
      return section;
    }

    pair(row) {
      const { texts } = this.editor;
      const line = element("div", "desk-pair");
      row.line = line;
      const field = element("select");
      field.setAttribute("aria-label", `${row.record.title}: ${texts.field}`);
      const known = row.record.fields.find((one) => one.id === row.field || (one.code && one.code === row.field));
      const name = row.field === WISH ? texts.make : known ? known.name + (known.required ? ` (${texts.required})` : "") : `${row.field} (${texts.gone})`;
      chosen(field, row.field, name);
      const source = element("select", "desk-source");
      source.setAttribute("aria-label", `${row.record.title}: ${texts.source}`);
      this.sources(source, row);
      const remove = button("×", "desk-remove", () => {
        this.rows = this.rows.filter((one) => one !== row);
        this.draw();
        this.write();
      }, `${texts.remove}: ${name}`);
      const fieldCell = element("div", "desk-pick");
      const sourceCell = element("div", "desk-pick");
      fieldCell.append(field);
      sourceCell.append(source);
      row.word = element("p", "desk-wrong");
      line.append(fieldCell, element("span", "desk-arrow", "←"), sourceCell, remove, row.word);
      typeAhead(field, () => this.fieldItems(row.record), texts, { placeholder: texts.choose_field });
      $(field).on("select2:select", () => { row.field = field.value; this.changed(); });
      source.addEventListener("change", () => { row.source = source.value; this.changed(); });
      return line;
    }

    fieldItems(record) {
      const { texts, creates } = this.editor;
      const items = record.fields.map((one) => ({
        id: one.id,
        text: one.name,
        hint: (one.required ? `${texts.required}, ` : "") + (one.options.length ? `${one.type}: ${one.options.join(", ")}` : one.type),
        search: `${one.name} ${one.id} ${one.code}`.toLowerCase(),
      }));
      return creates ? [{ id: WISH, text: `+ ${texts.make}`, search: texts.make.toLowerCase() }, ...items] : items;
    }

    sources(select, row) {
      const { texts, questions, parts } = this.editor;
      select.append(new Option(texts.choose_source, ""));
      const listed = element("optgroup");
      listed.label = texts.questions;
      for (const one of questions) listed.append(new Option(one.title, one.id));
      if (row.source && !row.source.startsWith(PART) && !this.questions.has(row.source)) listed.append(new Option(`${row.source} (${texts.unknown})`, row.source));
      select.append(listed);
      if (row.record.contactMap) {
        const form = element("optgroup");
        form.label = texts.parts;
        for (const one of parts) form.append(new Option(one.title, PART + one.id));
        select.append(form);
      }
      select.value = row.source;
    }

    insert(row, focus) {
      this.rows.push(row);
      this.draw();
      if (focus) $(row.line.querySelector("select")).select2("open");
      else this.write();
    }

    changed() {
      this.told();
      this.write();
    }

    /* What is wrong in a row, beside it, and which questions go nowhere. */
    told() {
      const { texts, lists } = this.editor;
      const seen = new Set();
      for (const row of this.rows) {
        const key = `${row.record.key} ${row.source}`;
        const twice = !lists && row.source && seen.has(key);
        seen.add(key);
        row.word.textContent = twice ? texts.twice : Boolean(row.source) !== Boolean(row.field) ? texts.unfinished : "";
      }
      for (const record of this.records) {
        const filled = this.rows.filter((row) => row.record === record && row.source).map((row) => row.field);
        const empty = record.fields.filter((one) => one.required && !filled.includes(one.id) && !filled.includes(one.code));
        record.missing.textContent = empty.length ? `${texts.unfilled} ${empty.map((one) => one.name).join(", ")}` : "";
      }
      const used = new Set(this.rows.map((row) => row.source));
      const free = this.editor.questions.filter((one) => !used.has(one.id));
      this.rest.replaceChildren(element("h3", "desk-heading", texts.unmapped));
      if (!free.length) {
        this.rest.append(element("p", "desk-quiet", this.editor.questions.length ? texts.none_unmapped : texts.no_questions));
        return;
      }
      const chips = element("div", "desk-row");
      for (const one of free) chips.append(button("+ " + one.title, "desk-chip", () => this.connect(one)));
      this.rest.append(chips);
      const likely = this.editor.suggestions.filter((one) => !used.has(one.question));
      if (likely.length) {
        this.rest.append(button(`${texts.suggest} (${likely.length})`, "desk-link desk-add", () => {
          for (const one of likely) this.rows.push({ record: this.record(one.record), source: one.question, field: one.field });
          this.draw();
          this.write();
        }));
      }
    }

    record(key) {
      return this.records.find((one) => one.key === key);
    }

    connect(question) {
      const likely = this.editor.suggestions.find((one) => one.question === question.id);
      if (likely) this.insert({ record: this.record(likely.record), source: question.id, field: likely.field }, false);
      else this.insert({ record: this.records[0], source: question.id, field: "" }, true);
    }
  }

  class TagsPicker {
    constructor(box, editor) {
      this.box = box;
      this.editor = editor;
      this.value = parsed(box);
      const shell = element("div", "desk-mapping");
      box.after(shell);
      box.hidden = true;
      for (const record of editor.records) {
        if (record.tags.length || !editor.tagIds || this.keyOf(record)) shell.append(this.section(record));
      }
    }

    /* Contracts spell the kinds of records differently (Lead, lead): the rule's own spelling stays. */
    keyOf(record) {
      return Object.keys(this.value).find((key) => key.toLowerCase() === record.key);
    }

    section(record) {
      const { texts, tagIds } = this.editor;
      const line = element("div", "desk-pair desk-tags");
      const select = element("select");
      select.multiple = true;
      select.setAttribute("aria-label", `${record.title}: ${texts.add_tag}`);
      for (const tag of this.value[this.keyOf(record)] || []) {
        const known = record.tags.find((one) => String(one.id) === String(tag));
        select.append(new Option(known ? known.name : tagIds ? `${tag} (${texts.gone})` : tag, tag, true, true));
      }
      const cell = element("div", "desk-pick");
      cell.append(select);
      line.append(element("span", "", record.title), element("span"), cell);
      const items = record.tags.map((one) => ({ id: String(one.id), text: one.name, search: one.name.toLowerCase() }));
      typeAhead(select, () => items, texts, { placeholder: texts.add_tag, tags: !tagIds });
      $(select).on("change", () => {
        const spelled = this.keyOf(record) || (tagIds ? record.key[0].toUpperCase() + record.key.slice(1) : record.key);
        this.value[spelled] = [...select.selectedOptions].map((one) => (tagIds ? Number(one.value) : one.value));
        this.box.value = JSON.stringify(this.value);
        this.box.dispatchEvent(new Event("change", { bubbles: true }));
      });
      return line;
    }
  }

  /* Shows what the form, as it is on the page, makes of an answer. */
  class Preview {
    constructor(panel, form) {
      this.form = form;
      this.out = panel.querySelector("[data-preview-out]");
      this.answer = panel.querySelector("select");
      this.url = panel.dataset.previewUrl;
      this.timer = 0;
      for (const name of ["change", "input"]) form.addEventListener(name, () => this.soon());
      $(form).on("change", "select", () => this.soon());
      if (this.answer) {
        this.answer.addEventListener("change", () => this.soon(0));
        this.soon(0);
      }
    }

    soon(wait = WAIT) {
      if (!this.answer) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.show(), wait);
    }

    async show() {
      const sent = new FormData(this.form);
      sent.set("answer", this.answer.value);
      const number = (this.number = (this.number || 0) + 1);
      this.out.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(this.url, { method: "POST", body: sent, headers: { "X-Requested-With": "XMLHttpRequest" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (number === this.number) this.out.replaceChildren(...page.body.childNodes);
      } finally {
        if (number === this.number) this.out.removeAttribute("aria-busy");
      }
    }
  }

  // Pickers by the kind of their box; other scripts of the page add theirs.
  const pickers = { fields: FieldsPicker, tags: TagsPicker };
  window.deskRule = { element, parsed, typeAhead, select, input, fill, picked, labelled, check, button, pickers, sections: [] }; // further parts of `Extra`

  document.addEventListener("DOMContentLoaded", () => {
    $ = django.jQuery;
    const data = document.getElementById("rule-editor");
    if (!data) return;
    const editor = JSON.parse(data.textContent);
    for (const shell of document.querySelectorAll("[data-picker]")) {
      const box = shell.querySelector("textarea");
      if (parsed(box) !== null) new pickers[shell.dataset.picker](box, editor);
    }
    const panel = document.querySelector("[data-preview-url]");
    const form = document.getElementById("rule_form");
    if (panel && form) new Preview(panel, form);
  });
})();
