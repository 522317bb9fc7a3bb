/* Options of the quiz and what they mean in the CRM, a part of `Extra` (rules.admin.rule_options). What is likely is
   chosen beforehand, said to be so, and saved with the page. */
"use strict";
(function () {
  const { element, button, sections } = window.deskRule;
  const NOTE = "note:";

  function sameField(one, question) {
    return one.Record === question.record && one.Question === question.question && String(one.Field) === String(question.field);
  }

  class OptionsSection {
    constructor(picker) {
      this.picker = picker;
      this.texts = picker.editor.options.texts;
      this.questions = picker.editor.options.questions;
      this.shell = element("section", "desk-record");
      this.shell.dataset.part = "options";
      if (!picker.offered) {
        picker.offered = new Set();
        this.offer();
      }
      this.draw();
    }

    get maps() {
      return (this.picker.value.Options = this.picker.value.Options || []);
    }

    mapOf(question) {
      return this.maps.find((one) => sameField(one, question));
    }

    keyOf(question, text) {
      return `${question.record} ${question.question} ${question.field} ${text}`;
    }

    /* Chosen once, when the page is opened: what a person clears stays clear. A form that was refused comes back with
       what was chosen, by whomever: nothing is chosen again. */
    offer() {
      const { editor, offered } = this.picker;
      for (const question of this.questions) {
        for (const one of question.texts) {
          if (one.meaning !== "unknown" || one.likely === null) continue;
          if (!editor.refused) this.keep(question, one.text, one.likely);
          const said = (this.mapOf(question) || { Map: {} }).Map[one.text];
          if (String(said) === String(one.likely)) offered.add(this.keyOf(question, one.text));
        }
      }
      if (offered.size && !editor.refused) this.picker.write();
    }

    /* `option` is an id, null for the note alone, undefined for nothing. */
    keep(question, text, option) {
      let map = this.mapOf(question);
      if (!map) this.maps.push((map = { Record: question.record, Question: question.question, Field: question.field, Map: {} }));
      if (option === undefined) delete map.Map[text];
      else map.Map[text] = option;
      if (!Object.keys(map.Map).length) this.maps.splice(this.maps.indexOf(map), 1);
    }

    draw() {
      const { texts } = this;
      this.shell.replaceChildren(element("h3", "desk-heading", texts.options), element("p", "desk-quiet", texts.options_help));
      if (!this.questions.length) this.shell.append(element("p", "desk-quiet", texts.no_options));
      if (this.picker.offered.size) this.shell.append(element("p", "desk-told", texts.offered_count.replace("0", this.picker.offered.size)));
      for (const question of this.questions) this.shell.append(this.question(question));
      for (const one of this.maps.filter((map) => !this.questions.some((question) => sameField(map, question)))) this.shell.append(this.unused(one));
    }

    question(question) {
      const { texts } = this;
      const table = element("div", "desk-pairs");
      table.append(element("strong", "", `${question.title} → ${question.name}`));
      const [alike, others] = [[], []];
      for (const one of question.texts) (one.meaning === "same" ? alike : others).push(one);
      if (!question.texts.length) table.append(element("p", "desk-quiet", texts.no_texts));
      for (const one of others) table.append(this.row(question, one));
      if (alike.length) {
        const more = element("details");
        more.append(element("summary", "desk-quiet", `${texts.alike}: ${alike.length}`), ...alike.map((one) => this.row(question, one)));
        table.append(more);
      }
      return table;
    }

    row(question, one) {
      const { texts } = this;
      const line = element("div", "desk-pair desk-option");
      const said = (this.mapOf(question) || { Map: {} }).Map;
      const choice = element("select", "desk-source");
      choice.setAttribute("aria-label", `${question.title}: ${one.text}`);
      choice.append(new Option(one.meaning === "same" ? texts.by_words : texts.choose_option, ""), new Option(texts.note_only, NOTE));
      const likeness = new Map(one.offers.map((offer) => [String(offer.id), offer.likeness]));
      for (const option of question.options) {
        const alike = likeness.get(String(option.id));
        choice.append(new Option(alike ? `${option.text} (${alike} %)` : option.text, option.id));
      }
      const now = one.text in said ? said[one.text] : undefined;
      if (now && !question.options.some((option) => String(option.id) === String(now))) choice.append(new Option(`${now} (${texts.gone})`, now));
      choice.value = now === null ? NOTE : now === undefined ? "" : String(now);
      const key = this.keyOf(question, one.text);
      const word = element("p", "desk-quiet", this.picker.offered.has(key) ? texts.offered : "");
      choice.addEventListener("change", () => {
        const chosen = question.options.find((option) => String(option.id) === choice.value);
        this.keep(question, one.text, choice.value === NOTE ? null : chosen ? chosen.id : choice.value || undefined);
        this.picker.offered.delete(key);
        word.textContent = "";
        this.picker.write();
      });
      line.append(element("span", "", one.text), element("span", "desk-arrow", "→"), choice, word);
      return line;
    }

    /* What is said of a question that goes into no such field: it can be taken out. */
    unused(one) {
      const { texts } = this;
      const line = element("div", "desk-row");
      const remove = button("×", "desk-remove", () => {
        this.maps.splice(this.maps.indexOf(one), 1);
        this.draw();
        this.picker.write();
      }, `${texts.remove}: ${one.Question}`);
      line.append(element("span", "desk-wrong", `${texts.unused}: ${one.Question} → ${one.Field} (${Object.keys(one.Map).join(", ")})`), remove);
      return line;
    }
  }

  sections.push((picker) => new OptionsSection(picker).shell);
})();
