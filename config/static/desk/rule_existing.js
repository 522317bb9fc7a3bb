/* What is written into contacts that the CRM has already, and who takes their leads: parts of `Extra`
   (rules.admin.rule_existing). */
"use strict";
(function () {
  const { element, picked, labelled, check, button, sections } = window.deskRule;

  class ExistingSection {
    constructor(picker) {
      this.picker = picker;
      this.offers = picker.editor.existing;
      this.texts = { ...picker.editor.texts, ...this.offers.texts };
      this.shell = element("section", "desk-record");
      this.shell.dataset.part = "existing";
      this.shell.hidden = !this.offers.own && !this.offers.records.length;
      this.draw();
    }

    /* The part of the rule that is about one kind of record; empty ones are taken out again. */
    said(key) {
      return (this.picker.value.Existing || {})[key] || {};
    }

    keep(key, changes) {
      const all = (this.picker.value.Existing = this.picker.value.Existing || {});
      const said = Object.entries({ ...all[key], ...changes }).filter(([, part]) => part && (part === true || Object.keys(part).length));
      if (said.length) all[key] = Object.fromEntries(said);
      else delete all[key];
      this.picker.write();
    }

    draw() {
      const { texts } = this;
      this.shell.replaceChildren(element("h3", "desk-heading", texts.heading), element("p", "desk-quiet", texts.help));
      if (this.offers.own) {
        const responsible = (this.picker.value.Responsible = this.picker.value.Responsible || {});
        this.shell.append(check(texts.own, responsible.Own, (on) => {
          if (on) responsible.Own = true;
          else delete responsible.Own;
          this.picker.write();
        }));
      }
      for (const record of this.offers.records) this.shell.append(this.record(record));
    }

    record({ key, title, fields }) {
      const { texts } = this;
      const card = element("div", "desk-route");
      card.append(element("strong", "", title));
      const said = this.said(key);
      card.append(labelled(texts.usual, picked(`${title}: ${texts.usual}`, [{ items: this.offers.usual }], said.Mode || "leave", (mode) => {
        this.keep(key, { Mode: mode === "leave" ? "" : mode });
      })));
      card.append(check(texts.append, said.Append, (on) => this.keep(key, { Append: on })));
      const rows = Object.entries(said.Fields || {});
      const write = () => this.keep(key, { Fields: Object.fromEntries(rows.filter(([field]) => field)) });
      rows.forEach((row, number) => card.append(this.field(title, fields, row, write, () => {
        rows.splice(number, 1);
        write();
        this.draw();
      })));
      card.append(button("+ " + texts.add_field, "desk-add desk-link", () => {
        const taken = new Set(rows.map(([field]) => field));
        const free = fields.find(([id]) => !taken.has(id));
        if (free) rows.push([free[0], "overwrite"]);
        write();
        this.draw();
      }));
      return card;
    }

    field(title, fields, row, write, removed) {
      const { texts } = this;
      const line = element("div", "desk-pair");
      line.append(
        picked(`${title}: ${texts.field}`, [{ items: fields }], row[0], (id) => { row[0] = id; write(); }),
        element("span", "desk-arrow", "→"),
        picked(`${title}: ${texts.mode}`, [{ items: this.offers.modes }], row[1], (mode) => { row[1] = mode; write(); }),
        button("×", "desk-remove", removed, `${texts.remove}: ${title}`),
      );
      return line;
    }
  }

  sections.push((picker) => new ExistingSection(picker).shell);
})();
