/* Conditions of a rule as groups of rows and groups (rules.mapping.conditions has the form that they make). Rows that are
   not finished, and groups of one, are kept while the page is open, whatever the condition says of them by then. */
"use strict";
(function () {
  const { element, input, picked, button } = window.deskRule;
  const NOT = "not_";
  const TESTS = ["equals", NOT + "equals", "oneOf", NOT + "oneOf", "contains", NOT + "contains", "between", NOT + "between", "empty", "filled"];
  const JOINS = ["all", "any", NOT + "all", NOT + "any"];
  const DEEPEST = 4; // groups within groups: with tests and their opposites that is as deep as a condition may be
  const known = new WeakMap(); // the groups of a condition that was made here

  /* {join, parts} of a condition, its parts rows {value, test, operand} or groups. */
  function groupOf(condition) {
    if (!condition || !Object.keys(condition).length) return { join: "all", parts: [] };
    const node = nodeOf(condition, false);
    return node.parts ? node : { join: "all", parts: [node] };
  }

  function nodeOf(said, negated) {
    const condition = said || {}; // what a refused form holds may be anything
    if (condition.not) return nodeOf(condition.not, !negated);
    const join = ["all", "any"].find((word) => Array.isArray(condition[word]));
    if (join) return { join: (negated ? NOT : "") + join, parts: condition[join].map((one) => nodeOf(one, false)) };
    const [operator, operand] = Object.entries(condition).find(([key]) => key !== "value") || ["equals", ""];
    if (operator === "empty") return { value: condition.value, test: operand === negated ? "filled" : "empty", operand: true };
    return { value: condition.value, test: (negated ? NOT : "") + operator, operand };
  }

  /* The condition that a group or a row makes; null for a group without rows. */
  function conditionOf(node) {
    if (!node.parts) return testOf(node);
    const parts = node.parts.map(conditionOf).filter(Boolean);
    const join = node.join.replace(NOT, "");
    if (!parts.length) return null;
    const made = parts.length === 1 ? parts[0] : { [join]: parts };
    if (node.join === join) return made;
    return made.not || { not: made };
  }

  function testOf({ value, test, operand }) {
    if (test === "empty" || test === "filled") return { value, empty: test === "empty" };
    const plain = test.replace(NOT, "");
    return plain === test ? { value, [plain]: operand } : { not: { value, [plain]: operand } };
  }

  class Conditions {
    constructor(picker, said, keep) {
      this.picker = picker;
      this.texts = picker.texts;
      this.tree = (said && known.get(said)) || groupOf(said);
      this.keep = keep;
      this.shell = this.group(this.tree, 1);
    }

    changed() {
      const made = conditionOf(this.tree) || {};
      known.set(made, this.tree);
      this.keep(made);
      this.picker.write();
    }

    redraw() {
      this.changed();
      this.picker.draw();
    }

    group(group, depth, remove) {
      const { texts } = this;
      const shell = element("div", remove ? "desk-pairs desk-group" : "desk-pairs");
      if (remove || group.parts.length > 1 || group.join.startsWith(NOT)) {
        const head = element("div", "desk-row");
        head.append(picked(texts.join, this.words(JOINS), group.join, (join) => { group.join = join; this.changed(); }));
        if (remove) head.append(button("×", "desk-remove", remove, `${texts.remove}: ${texts.group}`));
        shell.append(head);
      }
      group.parts.forEach((part, number) => {
        const drop = () => { group.parts.splice(number, 1); this.redraw(); };
        shell.append(part.parts ? this.group(part, depth + 1, drop) : this.row(part, drop));
      });
      const add = (part) => () => { group.parts.push(part()); this.redraw(); };
      const buttons = element("div", "desk-row");
      buttons.append(button("+ " + texts.add_condition, "desk-add desk-link", add(() => this.blank())));
      if (depth < DEEPEST && group.parts.length) {
        buttons.append(button("+ " + texts.add_group, "desk-add desk-link", add(() => ({ join: "any", parts: [this.blank()] }))));
      }
      shell.append(buttons);
      return shell;
    }

    words(names) {
      return [{ items: names.map((name) => [name, this.texts[name]]) }];
    }

    blank() {
      return { value: this.picker.offers.values.flatMap(({ items }) => items)[0][0], test: "equals", operand: "" };
    }

    row(row, remove) {
      const { texts } = this;
      const line = element("div", "desk-test");
      const value = picked(texts.value, this.picker.offers.values, row.value, (name) => { row.value = name; this.redraw(); });
      const test = picked(texts.test, this.words(TESTS), row.test, (chosen) => {
        const of = (word) => word.replace(NOT, "");
        if (of(chosen) !== of(row.test)) row.operand = { oneOf: [], between: [null, null] }[of(chosen)] ?? "";
        row.test = chosen;
        this.redraw();
      });
      line.append(value, test, this.operand(row), button("×", "desk-remove", remove, `${texts.remove}: ${row.value}`));
      return line;
    }

    operand(row) {
      const { texts } = this;
      const test = row.test.replace(NOT, "");
      const cell = element("div", "desk-row");
      if (test === "oneOf") {
        const box = element("textarea", "desk-source desk-lines");
        box.rows = 3;
        box.value = (Array.isArray(row.operand) ? row.operand : []).join("\n");
        box.placeholder = texts.lines;
        box.setAttribute("aria-label", `${texts.oneOf}: ${texts.lines}`);
        box.addEventListener("input", () => {
          row.operand = box.value.split("\n").map((one) => one.trim()).filter(Boolean);
          this.changed();
        });
        cell.append(box);
      } else if (test === "between") {
        const ends = Array.isArray(row.operand) ? row.operand : [null, null];
        ["from", "to"].forEach((word, end) => cell.append(input(texts[word], ends[end], (text) => {
          ends[end] = text.trim() ? text.trim() : null;
          row.operand = ends;
          this.changed();
        })));
      } else if (test !== "empty" && test !== "filled") {
        const box = input(texts.text, row.operand, (text) => { row.operand = text; this.changed(); });
        const options = this.picker.options.get(row.value) || [];
        if (options.length) {
          const offered = element("datalist");
          offered.id = `options-${Math.random().toString(36).slice(2)}`;
          for (const one of options) offered.append(new Option(one, one));
          box.setAttribute("list", offered.id);
          cell.append(offered);
        }
        cell.append(box);
      }
      return cell;
    }
  }

  /* The editor of a condition; `keep` takes each condition that it makes. */
  window.deskRule.conditions = (picker, said, keep) => new Conditions(picker, said, keep).shell;
})();
